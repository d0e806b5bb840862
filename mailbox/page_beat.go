package mailbox

// pageBeat is where a process gives its signs of life: a word like those of page.go.
const pageBeat = 192

// Beat is a sign of life: the number that it was asked for. Any goroutine of the process may
// call it.
func (p *Page) Beat(n uint64) { p.word(pageBeat).Store(littleEndian(n)) }

// LastBeat returns what Beat was last told; 0 if nothing, and after Close. Like Progress, it is
// to be distrusted.
func (p *Page) LastBeat() uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.mem == nil {
		return 0
	}
	return littleEndian(p.word(pageBeat).Load())
}
