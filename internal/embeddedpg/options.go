package embeddedpg

// Options says where a cluster keeps its data.
type Options struct {
	// Dir is the folder that holds the data, the log and the lock. It outlives
	// the cluster, and committed data survive a power failure. Started by root,
	// a cluster runs as another user: when that one cannot reach Dir, a folder
	// below /var/lib takes its place, and Progress says so.
	//
	// Empty means a temporary cluster: fast, for up to 300 connections, and
	// removed by Stop.
	Dir string

	// Progress is told, in one line, about each step that takes its time or
	// that the reader should know of. It may be nil.
	Progress func(line string)

	// Fetched is told now and then how much there is of a PostgreSQL that is being
	// fetched, and of how much, in bytes as unpacked. It may be nil, and is never called
	// at once with Progress.
	Fetched func(done, total int64)
}

// complete has somebody to tell.
func (o Options) complete() Options {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Fetched == nil {
		o.Fetched = func(int64, int64) {}
	}
	return o
}
