package mailbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The layout of a page: little-endian 64-bit words, each in a cache line of its own.
const (
	pageSize     = 4096
	pageMagic    = "PGPAGE02" // at 0
	pageBegun    = 64
	pageFinished = 128
	pageInbox    = 2048 // the words of the two rings; the notes are before
	pageOutbox   = pageInbox + ringWords

	// pageMemory is the page and its rings.
	pageMemory = pageSize + 2*ringSize
)

// Page is shared memory on which a process says which counted frame it is on. The
// memory outlives it, so that after any death the parent can tell which frame was
// being handled, which were finished and which were never begun. Behind it there is a
// [Ring] for each direction, which takes no memory before it is used.
//
// The process that reads frames calls Begin and Finish, from one goroutine at a time and
// not after or during Close. The other calls Progress, at any time, and must
// distrust what it says.
type Page struct {
	mu              sync.RWMutex // protects mem of Close, and the following
	begun, finished uint64       // as of Close

	mem []byte // nil after Close

	repeated int // notes in a row with the same text, after the first; up to noteSlots-1
}

// NewPage makes a page and the file to hand to the child, for OpenPage. The caller
// closes the file when the child was started. The page is zero: nothing begun.
func NewPage() (*Page, *os.File, error) {
	f, err := newPageFile()
	if err != nil {
		return nil, nil, fmt.Errorf("mailbox: new page: %w", err)
	}
	// Not through the mapping: of a process that never asks for room the page need not be resident.
	if _, err := f.WriteAt([]byte(pageMagic), 0); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("mailbox: new page: %w", err)
	}
	mem, err := mapFile(f)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("mailbox: map page: %w", err)
	}
	return &Page{mem: mem}, f, nil
}

// OpenPage maps the page that f was made for. It does not take ownership of f, which may
// be closed at once.
func OpenPage(f *os.File) (*Page, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("mailbox: open page: %w", err)
	}
	if info.Size() != pageMemory {
		return nil, fmt.Errorf("mailbox: open page: %d bytes instead of %d", info.Size(), pageMemory)
	}
	mem, err := mapFile(f)
	if err != nil {
		return nil, fmt.Errorf("mailbox: map page: %w", err)
	}
	if magic := string(mem[:len(pageMagic)]); magic != pageMagic {
		return nil, errors.Join(fmt.Errorf("mailbox: open page: magic is %q", magic), unmap(mem))
	}
	return &Page{mem: mem}, nil
}

// Inbox is the ring for the frames to the process, and Outbox for those from it. Nobody may
// use them after Close.
func (p *Page) Inbox() *Ring  { return p.ring(pageInbox, pageSize) }
func (p *Page) Outbox() *Ring { return p.ring(pageOutbox, pageSize+ringSize) }

func (p *Page) ring(words, data int) *Ring {
	return &Ring{words: p.mem[words : words+ringWords], data: p.mem[data : data+ringSize]}
}

// Begin says that counted frame n, 1 being the first, is being handled.
func (p *Page) Begin(n uint64) { p.put(pageBegun, n) }

// Finish says that the first n counted frames have been handled.
func (p *Page) Finish(n uint64) { p.put(pageFinished, n) }

// put stores a word, and does not wait until it has the cache line, as an atomic store does: that took an eighth of the
// time of a stream of small messages, as the other process looks at the line. What a processor has
// been told to store, in this order, others see in this order where there is nothing but this process's end
// between.
func (p *Page) put(offset int, n uint64) {
	word := p.word(offset)
	if unsafe.Sizeof(uintptr(0)) < unsafe.Sizeof(n) { // it would be stored in halves
		word.Store(littleEndian(n))
		return
	}
	*(*uint64)(unsafe.Pointer(word)) = littleEndian(n)
}

// Progress returns what Begin and Finish were last told, or what they had been told by the
// time of Close. Finished is read first: what an honest writer finished, it had begun.
func (p *Page) Progress() (begun, finished uint64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.progressLocked()
}

func (p *Page) progressLocked() (begun, finished uint64) {
	if p.mem == nil {
		return p.begun, p.finished
	}
	finished = littleEndian(p.word(pageFinished).Load())
	begun = littleEndian(p.word(pageBegun).Load())
	return begun, finished
}

// Close unmaps the page. Closing again does nothing.
func (p *Page) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mem == nil {
		return nil
	}
	p.begun, p.finished = p.progressLocked()
	mem := p.mem
	p.mem = nil
	return unmap(mem)
}

func (p *Page) word(offset int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&p.mem[offset]))
}

// littleEndian turns a native word into a little-endian one and back.
func littleEndian(n uint64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	return binary.NativeEndian.Uint64(b[:])
}
