// Command netrpc has net/rpc, with gob, over a socketpair that the child inherits: what Go's own library
// gives to somebody who wants calls into another process. A server runs every call in a
// goroutine of its own, so there is no order.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"

	"github.com/progeny-go/progeny/benchmarks/bench"
	"github.com/progeny-go/progeny/benchmarks/peer/internal/rpcworker"
)

const childRole = "child"

func main() {
	if len(os.Args) == 2 && os.Args[1] == childRole {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, "net/rpc:", err)
			os.Exit(1)
		}
		return
	}
	bench.Main(bench.System{
		Name:  "net/rpc",
		Echo:  func(context.Context) (bench.Echoer, error) { return start() },
		Sink:  func(context.Context) (bench.Sinker, error) { return start() },
		Start: func(context.Context) (bench.Process, error) { return start() },
	})
}

func child() error {
	conn, err := net.FileConn(os.NewFile(3, "socketpair"))
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(&rpcworker.Worker{}); err != nil {
		return err
	}
	server.ServeConn(conn)
	return nil
}

// worker is a process with one, seen from its parent.
type worker struct {
	rpcworker.Client
	os *os.Process
}

// start starts this program again and returns when the first call was answered: there is no other sign
// that it is ready.
func start() (*worker, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], childRole}, &os.ProcAttr{
		Files: []*os.File{nil, os.Stderr, os.Stderr, theirs},
	})
	if err != nil {
		return nil, err
	}
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	w := &worker{os: p, Client: rpcworker.Client{Client: rpc.NewClient(conn), Service: "Worker"}}
	return w, w.Call(context.Background())
}

func (w *worker) Pid() int { return w.os.Pid }

func (w *worker) Close() error {
	w.os.Kill()
	w.os.Wait()
	return w.Client.Close()
}
