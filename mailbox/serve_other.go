//go:build !unix

package mailbox

// Serve reads frames and calls handle for each, one at a time and in order, until
// the pipe ends, is drained or closed, or handle returns an error. It returns
// that error, or one of those of Next.
func (r *Reader) Serve(handle func(Frame) error) error {
	for {
		f, err := r.Next()
		if err == nil {
			err = handle(f)
			if late := r.between(); err == nil {
				err = late
			}
		}
		if err != nil {
			return err
		}
	}
}
