package wire

// An Answer takes the reply to an Ask, on the asker's goroutine. It keeps nothing of the
// bytes. It is an interface and no function, so that all that an Ask has to remember is one
// allocation.
type Answer interface {
	Take(messageType, payload []byte) error
}

// AnswerFunc is a function as an Answer.
type AnswerFunc func(messageType, payload []byte) error

// Take calls f.
func (f AnswerFunc) Take(messageType, payload []byte) error { return f(messageType, payload) }
