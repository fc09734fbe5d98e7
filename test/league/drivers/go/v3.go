package main

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"
)

type v3Driver struct{ client *clientv3.Client }

func connectV3(url string) (driver, error) {
	made, err := clientv3.New(clientv3.Config{Endpoints: []string{url}})
	if err != nil {
		return nil, err
	}
	return &v3Driver{made}, nil
}

func (d *v3Driver) get(ctx context.Context, key string) error {
	_, err := d.client.Get(ctx, key)
	return err
}

func (d *v3Driver) add(ctx context.Context, key, value string) error {
	_, err := d.client.Put(ctx, key+"/"+value, value)
	return err
}

func (d *v3Driver) swap(ctx context.Context, key, from, to string) error {
	isFrom := clientv3.Compare(clientv3.Value(key), "=", from)
	response, err := d.client.Txn(ctx).If(isFrom).Then(clientv3.OpPut(key, to)).Commit()
	if err != nil {
		return err
	}
	if !response.Succeeded {
		return errors.New("Succeeded is false")
	}
	return nil
}

func (d *v3Driver) watch(ctx context.Context, key string) {
	for response := range d.client.Watch(ctx, key+"/", clientv3.WithPrefix()) {
		for _, event := range response.Events {
			printEvent(string(event.Kv.Value))
		}
		if err := response.Err(); err != nil {
			printNotice("error", err)
		}
	}
	printNotice("error", errors.New("the channel is closed"))
}
