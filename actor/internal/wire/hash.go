package wire

// HashBasis is where HashKey begins.
const HashBasis uint64 = 0xcbf29ce484222325

// HashKey adds to a hash that is FNV-1a, of 64 bits: the same in every process, and without
// an allocation, which hash/fnv's interface would cost.
func HashKey[T string | []byte](hash uint64, key T) uint64 {
	const prime = 0x100000001b3
	for i := range len(key) {
		hash = (hash ^ uint64(key[i])) * prime
	}
	return hash
}
