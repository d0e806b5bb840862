// Package reaper turns the exits of processes into [Exit] values, once each.
//
// A process is given to it by [Watch]; when it has ended, its status is taken
// (so that no zombie stays) and told:
//
//	p, err := os.StartProcess(path, argv, attr)
//	if err != nil {
//		return err
//	}
//	err = reaper.Watch(p, func(e reaper.Exit) { exits <- e })
//
// One goroutine serves the whole program. It is started by the first Watch and
// lives as long as the program: there is nothing to close, and while nothing
// ends it is parked in Go's network poller. Neither a thread nor a goroutine
// is spent per process.
//
// # What it leaves alone
//
// The reaper waits only for the processes it was given, each by its own
// handle, never for any child (wait(-1)). Other children of the program, of
// an [os/exec.Cmd] say, keep their status for whoever started them. SIGCHLD is
// not used: the program may handle it, or not.
//
// Others may be less careful. A status that was taken by somebody else (a
// library that reaps every child, an ignored SIGCHLD) becomes an Exit with
// Known false; it is never a hang.
//
// # Order
//
// Exits are told about as soon as they are noticed. Those of processes that
// ended at about the same time are told in any order.
//
// # Linux
//
// Each process is watched through its pidfd (pidfd_open(2)), which
// [os.Process] already holds, by one epoll instance; so watching takes no
// further descriptor. Where os.Process has no pidfd (older kernels, some
// emulators) the reaper opens one, and where the kernel refuses that too, and
// while a debugger withholds the status of a process that has ended, one
// process costs one goroutine and its thread.
//
// # macOS and the BSDs
//
// One kqueue with EVFILT_PROC (kqueue(2)), in which one thread is blocked.
//
// # Other systems
//
// Watch returns an error that wraps [errors.ErrUnsupported].
package reaper
