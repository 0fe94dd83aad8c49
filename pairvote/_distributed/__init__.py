"""What `pairvote.distributed` is made of: partitions counted, shards that hold their pairs, a model of all of them."""
