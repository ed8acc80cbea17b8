package remind

// BatchSize is for tests.
const BatchSize = batchSize

// Waiting is how many jobs wait for a batch.
func (w *Worker) Waiting() int { return w.queue.Waiting() }
