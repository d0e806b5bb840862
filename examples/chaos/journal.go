package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"
)

// The journal is one file to which all actors append what they do, before they
// do it. What was written is there whatever becomes of the writer. Appends
// of all processes have one order, so a message's sending stands before its receipt.
//
// A record is 64 bytes: so none lies across two pages, at whose boundary a SIGKILL
// might cut a write in two.
const recordSize = 64

// A record is one entry.
type record struct {
	Kind recordKind
	Lane lane
	Fate byte // of a refusal: an actor.Fate
	Deed deed
	Who  uint32 // the target that the writer is, or is a worker of
	Pid  uint32
	Peer uint32 // the other side
	Life uint64 // which process wrote it; unique together with Who
	From uint64 // the life of the sender, in a receipt
	Seq  uint64
}

type recordKind byte

const (
	booted   recordKind = iota + 1 // a process begins
	received                       // Seq has come from Peer
	sending                        // Seq is about to be sent to Peer
	asking                         // the same, with an Ask
	refused                        // Seq was not, as the sender was told
	replied                        // the Ask Seq was answered
	doing                          // Deed is about to be done
	amiss                          // the actor saw what must not be: Seq is which
)

// append writes the record. An error panics: without its journal an actor cannot
// go on, and what it has not written it has not done.
func (r *record) append(f *os.File) {
	var b [recordSize]byte
	b[0], b[1], b[2], b[3] = byte(r.Kind), byte(r.Lane), r.Fate, byte(r.Deed)
	binary.LittleEndian.PutUint32(b[4:], r.Who)
	binary.LittleEndian.PutUint32(b[8:], r.Pid)
	binary.LittleEndian.PutUint32(b[12:], r.Peer)
	binary.LittleEndian.PutUint64(b[16:], r.Life)
	binary.LittleEndian.PutUint64(b[24:], r.From)
	binary.LittleEndian.PutUint64(b[32:], r.Seq)
	if _, err := f.Write(b[:]); err != nil {
		panic(fmt.Sprintf("%s: journal: %v", onPurpose, err)) // by a fault that closes descriptors
	}
}

func parseRecord(b []byte) (r record, err error) {
	r = record{
		Kind: recordKind(b[0]), Lane: lane(b[1]), Fate: b[2], Deed: deed(b[3]),
		Who:  binary.LittleEndian.Uint32(b[4:]),
		Pid:  binary.LittleEndian.Uint32(b[8:]),
		Peer: binary.LittleEndian.Uint32(b[12:]),
		Life: binary.LittleEndian.Uint64(b[16:]),
		From: binary.LittleEndian.Uint64(b[24:]),
		Seq:  binary.LittleEndian.Uint64(b[32:]),
	}
	if r.Kind < booted || r.Kind > amiss || r.Life == 0 {
		return r, fmt.Errorf("journal: no record: % x", b)
	}
	return r, nil
}

// A journal is the program's side of it: one that reads.
type journal struct {
	file   *os.File
	offset int64
	freed  int64 // up to here the file has been given back
	buffer []byte
}

func createJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &journal{file: f, buffer: make([]byte, 1024*recordSize)}, nil
}

// drain reads what is there now.
func (j *journal) drain(take func(record)) error {
	for {
		n, _ := j.file.ReadAt(j.buffer, j.offset) // io.EOF is the normal end
		n -= n % recordSize
		if n == 0 {
			break
		}
		for b := j.buffer[:n]; len(b) > 0; b = b[recordSize:] {
			r, err := parseRecord(b[:recordSize])
			if err != nil {
				return fmt.Errorf("at %d: %w", j.offset, err)
			}
			take(r)
		}
		j.offset += int64(n)
	}
	if j.offset-j.freed > 1<<20 {
		if err := free(j.file, j.freed, j.offset-j.freed); err != nil {
			return err
		}
		j.freed = j.offset
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// newLife is a number that no other process of the same target has.
func newLife() uint64 { return uint64(time.Now().UnixNano()) }
