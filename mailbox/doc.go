// Package mailbox moves frames through nonblocking pipes: a [Writer] that
// gathers frames and keeps them until they are done with, a [Reader] that takes
// them out in batches, and a [Page] of shared memory on which the reading
// process says how far it has come, with a [Ring] for each direction, by which frames
// go without a system call. What a frame means is not its business.
//
//	w := mailbox.NewWriter(f, mailbox.WriterConfig{})
//	if err := w.Put(ctx, frame); err != nil { … }
//
//	r := mailbox.NewReader(f, codec.DefaultFrameLimit)
//	for {
//		frame, err := r.Next()
//		…
//	}
//
// # Two kinds of frames
//
// Counted frames (Put, TryPut, Enqueue, Force) are what a mailbox is bounded by: a
// writer takes one while it holds fewer than [Capacity] says. Control frames
// (Push, PushTo) are not counted and never wait, so that the acknowledgement which makes
// room is not stuck behind those who wait for it.
//
// # Order
//
// Counted frames arrive in the order in which they were taken in. Those that find
// no room wait in one queue, first come, first served, whether their caller blocks
// (Put) or not (Enqueue, Force); nobody who comes later passes them, except that
// one who gives up leaves the queue. A control frame overtakes those who wait, and
// nothing that was taken in before it. There is no other order between goroutines
// than the one in which they got here.
//
// # Blocking
//
// Only Put, Flush, Close and Detach of a Writer and Next of a Reader wait. Put waits for
// room, Flush for the pipe, both until their ctx is done; neither holds a thread
// meanwhile, but for Put's first 50 µs, in which the first in the queue looks for room itself where there is
// more than one processor. Close and Detach wait for who is just writing, which does not block. Nobody
// else waits for a write of somebody else: who finds one under way appends and leaves.
// Attach, Detach, Return, Filter, Held and Close take turns; of these only Filter and Held
// take longer than a copy of the frames, namely as long as what they call.
//
// Poll of a Reader looks for frames for up to [PollLimit], and lets other goroutines run
// meanwhile.
//
// A lone frame is written at once by its sender. Senders who follow closely upon
// one another, or meet a full pipe, leave the writing to a goroutine that lives while
// traffic flows: then a frame is on its way within microseconds if there is more
// than one processor; with GOMAXPROCS=1 it goes out when the sender next blocks,
// is preempted (after 10 ms of work), calls Flush, or has 32 KiB together. An idle Writer has no goroutine and no buffer
// but what holds frames not yet released; an idle Reader has no buffer.
//
// # Rings
//
// A Writer that was given a Ring (Attach, WriterConfig) writes the first frames to the pipe, and
// then all bytes to the ring. From there on the pipe carries bells, single bytes that no
// frame begins with:
//
//	0xc1  the next frame is in the ring; it wakes a reader that has asked for it
//	0xc0  the ring of the other direction has room again
//
// The reader asks for a bell before it sleeps, and for none while somebody polls; a goroutine that handles frames
// and then polls again (PollAgain) asks for one if a control frame comes or the ring is full; the writer asks for
// one when the ring is full. The end is the pipe's: at its EOF, or when it is drained, the
// Reader returns what the ring holds, and then the end. A ring takes 256 KiB of memory when a
// stream has gone through, a page when frames went one by one, and none before it is used. Where
// there are no pages there are no rings, and all goes through the pipe.
//
// Promises are the same: order, bounds, what is left after a death. What was put into
// a ring before its writer's SIGKILL is read.
//
// # A reader that dies
//
// A Writer made without a file outlives its readers. What they had not finished it
// writes again, from the start of the oldest frame:
//
//	w := mailbox.NewWriter(nil, mailbox.WriterConfig{Retain: true})
//	for {                                          // one process after another
//		w.Attach(pipe, hello, finished)            // hello, then what is held, from number 1
//		…                                          // it dies
//		suspect := w.Detach(page.Progress())       // nobody writes, the pipe is closed
//		if suspect != nil && again {
//			w.Return(suspect)                      // at least once, else at most once
//		}
//	}
//
//	counted frame        at Detach                     next reader
//	finished             released                      -
//	begun, not finished  returned: the suspect         only after Return, as the first
//	written or not       kept                          in order
//	waiting for room     waits, or gets what is free   in order
//	control frame        dropped if not written        -
//
// So each counted frame is handled once, or is a suspect: none is lost, none comes twice, and
// their order stays. Between death and Detach nobody need notice: the error of the pipe
// only stops the writing. Only Push and Flush tell, by a [*PipeError], and
// [ErrDetached] from Detach to Attach. Who pushes without knowing which reader is attached
// by now says which one is meant (PushTo), and gets ErrDetached as well if it is another.
//
// Between two readers the frames can be looked at (Held), and those that nobody wants any
// more taken out (Filter).
//
// This rests on what the reader said of itself: it must call [Page.Begin] before it
// handles a frame and [Page.Finish] after, one frame at a time. Who cannot know what was begun
// (no Page on the platform) has the choice to give frames twice or not at all.
//
// # Failure
//
// A frame once begun is finished or the pipe is broken: a ctx that ends, ends the wait
// for room, never a write. The first error of the pipe is final for it, and for a Writer
// that was made with it: every later call returns the same [*PipeError] (it wraps EPIPE
// when the reader is gone: there is no death by SIGPIPE, as Go turns that signal into
// EPIPE for all but the standard files). After Close calls return an error that wraps [os.ErrClosed].
//
// Close writes what the pipe takes without waiting, no more; Flush before it to
// be sure. What was written before is still delivered to the reader, then
// [io.EOF]. A pipe that ends within a frame is a [*TruncatedError], never a clean end.
//
// The other end is not trusted: a length that lies allocates nothing (but for who calls
// [Reader.Trust]), a count of finished frames that cannot be true is [ErrProgress], a position of a
// ring that cannot be true breaks the pipe, and what is in a ring is copied before it is looked at.
//
// # Platform notes
//
// Linux is complete. On macOS and the BSDs a Page is an unlinked temporary file,
// which cannot be sealed against a change of its size: a hostile child could make
// the parent fault. On Windows pipes go through [os.File], so that only the
// writer's goroutine writes, Close writes nothing more, Drain ends at what is
// buffered, and pages are errors.ErrUnsupported.
package mailbox
