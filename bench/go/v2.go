package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"go.etcd.io/etcd/client/v2"
)

type v2API struct {
	keys      client.KeysAPI
	transport *http.Transport
}

// connectV2 gives the client a connection for each call that is in flight; its default transport keeps two and opens a
// new one for every call beyond them.
func connectV2(url string, inFlight int) api {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: inFlight,
	}
	etcd, err := client.New(client.Config{Endpoints: []string{url}, Transport: transport})
	must(err)
	return v2API{client.NewKeysAPI(etcd), transport}
}

func (a v2API) get(key string) string {
	answer, err := a.keys.Get(context.Background(), key, nil)
	must(err)
	return answer.Node.Value
}

func (a v2API) set(key, value string) {
	_, err := a.keys.Set(context.Background(), key, value, nil)
	must(err)
}

func (a v2API) close() {
	a.transport.CloseIdleConnections()
}
