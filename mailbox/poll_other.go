//go:build !unix

package mailbox

import "time"

// polling is the state of Poll.
type polling struct{}

// Poll does nothing where pipes cannot be read without waiting.
func (r *Reader) Poll(func() bool) bool { return false }

// PollAgain does nothing either.
func (r *Reader) PollAgain(func() bool) bool { return false }

// Look does nothing either: Next waits.
func (r *Reader) Look(time.Duration) {}
