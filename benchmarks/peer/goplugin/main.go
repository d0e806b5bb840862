// Command goplugin has hashicorp/go-plugin, with both of its protocols.
package main

import (
	"context"
	"io"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// The plugins of this program, which is also that of the plugins: by their names.
const (
	overRPC  = "net/rpc"
	overGRPC = "gRPC"
)

var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "BENCHMARK_PLUGIN", MagicCookieValue: "yes"}

func main() {
	if os.Getenv(handshake.MagicCookieKey) == handshake.MagicCookieValue && len(os.Args) == 2 {
		config := &plugin.ServeConfig{HandshakeConfig: handshake, Plugins: plugins(os.Args[1]), Logger: hclog.NewNullLogger()}
		if os.Args[1] == overGRPC {
			config.GRPCServer = plugin.DefaultGRPCServer
		}
		plugin.Serve(config)
		return
	}
	bench.Main(
		bench.System{
			Name:  "go-plugin, gRPC",
			Echo:  func(context.Context) (bench.Echoer, error) { return start[*grpcClient](overGRPC) },
			Sink:  func(context.Context) (bench.Sinker, error) { return start[*grpcClient](overGRPC) },
			Start: func(context.Context) (bench.Process, error) { return start[*grpcClient](overGRPC) },
		},
		bench.System{
			Name:  "go-plugin, net/rpc",
			Echo:  func(context.Context) (bench.Echoer, error) { return start[*rpcClient](overRPC) },
			Sink:  func(context.Context) (bench.Sinker, error) { return start[*rpcClient](overRPC) },
			Start: func(context.Context) (bench.Process, error) { return start[*rpcClient](overRPC) },
		},
	)
}

// plugins is the set with one of them: with gRPC there must be none that cannot do it.
func plugins(name string) plugin.PluginSet {
	if name == overGRPC {
		return plugin.PluginSet{name: &grpcPlugin{}}
	}
	return plugin.PluginSet{name: &rpcPlugin{}}
}

// A client is one plugin, seen from its host.
type client interface {
	bench.Caller
	setHost(*plugin.Client)
}

// start starts a plugin and returns when it is dispensed and has answered.
func start[C client](name string) (c C, err error) {
	host := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugins(name),
		Cmd:              exec.Command("/proc/self/exe", name),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolNetRPC, plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       io.Discard,
		SyncStderr:       io.Discard,
	})
	protocol, err := host.Client()
	if err != nil {
		host.Kill()
		return c, err
	}
	made, err := protocol.Dispense(name)
	if err != nil {
		host.Kill()
		return c, err
	}
	c = made.(C)
	c.setHost(host)
	return c, c.Call(context.Background())
}

// plugged is what the clients of both protocols have in common.
type plugged struct{ host *plugin.Client }

func (p *plugged) setHost(c *plugin.Client) { p.host = c }
func (p *plugged) Pid() int                 { return p.host.ReattachConfig().Pid }

func (p *plugged) Close() error {
	p.host.Kill()
	return nil
}
