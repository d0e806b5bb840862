package main

import (
	"net/rpc"

	"github.com/hashicorp/go-plugin"

	"github.com/progeny-go/progeny/benchmarks/peer/internal/rpcworker"
)

type rpcPlugin struct{}

func (*rpcPlugin) Server(*plugin.MuxBroker) (any, error) { return &rpcworker.Worker{}, nil }

func (*rpcPlugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return &rpcClient{Client: rpcworker.Client{Client: c, Service: "Plugin"}}, nil
}

type rpcClient struct {
	plugged
	rpcworker.Client
}
