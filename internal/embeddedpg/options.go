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
}
