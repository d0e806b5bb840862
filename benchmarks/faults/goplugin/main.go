// Command goplugin provokes the faults in plugins of hashicorp/go-plugin, each a process of its own, with
// net/rpc.
package main

import (
	"context"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
	"github.com/progeny-go/progeny/benchmarks/faults/internal/scene"
)

const pluginRole = "plugin"

var (
	handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "FAULTS_PLUGIN", MagicCookieValue: "yes"}
	plugins   = plugin.PluginSet{pluginRole: &rpcPlugin{}}
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == pluginRole {
		plugin.Serve(&plugin.ServeConfig{HandshakeConfig: handshake, Plugins: plugins, Logger: hclog.NewNullLogger()})
		return
	}
	scene.Main(scene.System{
		Spawn:   start,
		Second:  func(ctx context.Context) (scene.Actor, error) { return start(ctx, "") },
		Without: map[string]string{fault.Order: "has no Tell"},
		Close: func() error {
			plugin.CleanupClients()
			return nil
		},
	})
}

func start(context.Context, string) (scene.Actor, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	host := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake,
		Plugins:         plugins,
		Cmd:             exec.Command(exe, pluginRole),
		Logger:          hclog.NewNullLogger(),
		SyncStdout:      io.Discard,
		SyncStderr:      io.Discard,
		Managed:         true,
	})
	protocol, err := host.Client()
	if err != nil {
		return nil, err
	}
	client, err := protocol.Dispense(pluginRole)
	if err != nil {
		return nil, err
	}
	return &one{host: host, client: client.(*rpc.Client)}, nil
}

type rpcPlugin struct{}

func (*rpcPlugin) Server(*plugin.MuxBroker) (any, error)                  { return &service{}, nil }
func (*rpcPlugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) { return c, nil }

// service is what is called. net/rpc runs each call in a goroutine of its own.
type service struct{ worker scene.Worker }

// None is nothing.
type None struct{}

// Handle handles a message.
func (s *service) Handle(m scene.Message, _ *None) error {
	s.worker.Handle(m)
	return nil
}

// Report reports.
func (s *service) Report(_ None, r *scene.Report) error {
	*r = s.worker.Report()
	return nil
}

// one is a plugin, seen from here.
type one struct {
	host   *plugin.Client
	client *rpc.Client
	told   *rpc.Call // the last; nil if there is none in progress
}

// Tell makes a call and does not wait for its end.
func (o *one) Tell(_ context.Context, m scene.Message) error {
	call := o.client.Go("Plugin.Handle", m, &None{}, make(chan *rpc.Call, 1))
	if m.Do != "" {
		o.told = call
	}
	return nil
}

// Ask waits for what was told to be done: actors handle one message after the other.
func (o *one) Ask(ctx context.Context) (scene.Report, error) {
	if o.told != nil {
		if err := wait(ctx, o.told); err != nil {
			return scene.Report{}, err
		}
		o.told = nil
	}
	r := new(scene.Report) // a late answer is written to it, too
	err := wait(ctx, o.client.Go("Plugin.Report", None{}, r, make(chan *rpc.Call, 1)))
	if err != nil {
		return scene.Report{}, err
	}
	return *r, nil
}

func wait(ctx context.Context, c *rpc.Call) error {
	select {
	case <-c.Done:
		if c.Error != nil { // the handlers return none
			return fmt.Errorf("%w: %w", scene.ErrGone, c.Error)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (o *one) Stop(context.Context) error {
	o.host.Kill()
	return nil
}
