// Package entropy reads the operating system's source of random bytes. crypto/rand does the same
// and brings thirty packages along, which each actor's process would initialise and keep in memory,
// 24 KiB of it.
package entropy
