package main

import (
	"context"
	"log"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

type v3API struct{ etcd *clientv3.Client }

func connectV3(url string, _ int) api {
	return v3API{dial(url)}
}

func dial(url string) *clientv3.Client {
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{url}, Logger: zap.NewNop()})
	must(err)
	return etcd
}

func (a v3API) get(key string) string {
	answer, err := a.etcd.Get(context.Background(), key)
	must(err)
	return string(answer.Kvs[0].Value)
}

func (a v3API) set(key, value string) {
	_, err := a.etcd.Put(context.Background(), key, value)
	must(err)
}

func (a v3API) close() {
	must(a.etcd.Close())
}

// A txnAPI has a transaction for each call.
type txnAPI struct{ v3API }

func connectTxn(url string, _ int) api {
	return txnAPI{v3API{dial(url)}}
}

func (a txnAPI) get(key string) string {
	answer := commit(a.etcd, clientv3.OpGet(key))
	return string(answer.Responses[0].GetResponseRange().Kvs[0].Value)
}

func (a txnAPI) set(key, value string) {
	commit(a.etcd, clientv3.OpPut(key, value))
}

func commit(etcd *clientv3.Client, ops ...clientv3.Op) *clientv3.TxnResponse {
	answer, err := etcd.Txn(context.Background()).Then(ops...).Commit()
	must(err)
	if !answer.Succeeded {
		log.Fatal("a transaction without comparisons failed")
	}
	return answer
}

const (
	maxOps  = 128 // etcd's own limit for a transaction
	maxSize = 1e6 // bytes; etcd's own limit is 1.5 MiB
	maxTxns = 4   // transactions under way at a time
)

// A batchAPI puts the calls that wait into one transaction, as a user would by hand.
type batchAPI struct {
	v3API
	waiting chan waiting
}

type waiting struct {
	op       clientv3.Op
	response chan []byte
}

func connectBatch(url string, inFlight int) api {
	a := batchAPI{v3API{dial(url)}, make(chan waiting, inFlight)}
	for range maxTxns {
		go a.work()
	}
	return a
}

func (a batchAPI) work() {
	for first := range a.waiting {
		batch := []waiting{first}
		// A key may be written once in a transaction.
		keys := map[string]bool{string(first.op.KeyBytes()): true}
		size := len(first.op.ValueBytes())
		for len(batch) < maxOps {
			next, ok := a.poll()
			if !ok {
				break
			}
			key := string(next.op.KeyBytes())
			size += len(next.op.ValueBytes())
			if keys[key] || size > maxSize {
				a.send(batch)
				batch, keys, size = nil, map[string]bool{}, len(next.op.ValueBytes())
			}
			keys[key] = true
			batch = append(batch, next)
		}
		a.send(batch)
	}
}

func (a batchAPI) poll() (waiting, bool) {
	select {
	case next, ok := <-a.waiting:
		return next, ok
	default:
		return waiting{}, false
	}
}

func (a batchAPI) send(batch []waiting) {
	ops := make([]clientv3.Op, len(batch))
	for i, each := range batch {
		ops[i] = each.op
	}
	for i, response := range commit(a.etcd, ops...).Responses {
		var value []byte
		if found := response.GetResponseRange(); found != nil {
			value = found.Kvs[0].Value
		}
		batch[i].response <- value
	}
}

func (a batchAPI) call(op clientv3.Op) []byte {
	response := make(chan []byte, 1)
	a.waiting <- waiting{op, response}
	return <-response
}

func (a batchAPI) get(key string) string {
	return string(a.call(clientv3.OpGet(key)))
}

func (a batchAPI) set(key, value string) {
	a.call(clientv3.OpPut(key, value))
}

func (a batchAPI) close() {
	close(a.waiting)
	a.v3API.close()
}
