package node

import "sync"

// senders are the channels that lead to one target, and want to hear of its end. The zero
// value has none.
type senders struct {
	mu       sync.Mutex // protects the following
	over     bool
	channels map[*channel]struct{}
}

// join is target's.
func (s *senders) join(ch *channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	if s.channels == nil {
		s.channels = make(map[*channel]struct{})
	}
	s.channels[ch] = struct{}{}
	return true
}

// leave is target's.
func (s *senders) leave(ch *channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, ch)
}

// dismiss tells them that the target has ended. None joins any more.
func (s *senders) dismiss() {
	s.mu.Lock()
	channels := s.channels
	s.over, s.channels = true, nil
	s.mu.Unlock()
	for ch := range channels {
		ch.close()
	}
}
