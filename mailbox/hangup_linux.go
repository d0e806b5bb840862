package mailbox

import (
	"os"

	"golang.org/x/sys/unix"
)

// begin asks for no events: EPOLLERR, which is what is told of a pipe without readers (poll(2)), needs no
// asking. So nothing else wakes anybody.
func (h *Hangup) begin(all *readers, f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	h.tap = tap{file: f, conn: conn, all: all, ready: h.look}
	return all.add(&h.tap, 0)
}

func (h *Hangup) end() { h.all.remove(&h.tap) }

// look makes sure that the event was of this pipe, and not of one that had its number before.
func (h *Hangup) look([]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone == nil || !h.hasHungUp() {
		return
	}
	gone := h.gone
	h.gone = nil
	h.end() // it would be told of again and again
	gone()
}

func (h *Hangup) hasHungUp() bool {
	polled := []unix.PollFd{{}}
	err := h.conn.Control(func(fd uintptr) {
		polled[0].Fd = int32(fd)
		for {
			if _, err := unix.Poll(polled, 0); err != unix.EINTR {
				return
			}
		}
	})
	return err == nil && polled[0].Revents&unix.POLLERR != 0
}
