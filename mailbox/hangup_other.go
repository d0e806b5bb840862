//go:build !linux

package mailbox

import "os"

func (h *Hangup) begin(all *readers, f *os.File) error {
	if all.closed.Load() {
		return os.ErrClosed
	}
	return nil
}

func (h *Hangup) end() {}
