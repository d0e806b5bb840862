package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"ergo.services/ergo/gen"
)

// many is many actors in one process.
type many struct {
	node gen.Node

	mu  sync.Mutex
	all []gen.PID // mu protects it while they are added
}

func startMany() (*many, error) {
	node, err := startNode(gen.Atom(fmt.Sprintf("many%d@localhost", os.Getpid())), 0)
	return &many{node: node}, err
}

func (m *many) Add(context.Context) error {
	pid, err := m.node.Spawn(newWorker, gen.ProcessOptions{})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, pid)
	return err
}

func (m *many) Ask(_ context.Context, i int) error { return checkEcho(m.node.Call(m.all[i], packet)) }

func (m *many) Close() error {
	m.node.StopForce()
	return nil
}
