package embeddedpg

import (
	"maps"
	"slices"
)

// Options says where a cluster keeps its data and how careful it is with them.
// The zero value is a temporary cluster that is fast and forgets everything.
type Options struct {
	// Dir is the folder that holds the data folder, the log and the lock. It
	// outlives the cluster. Started by root, a cluster runs as another user:
	// when that one cannot reach Dir, a folder below /var/lib takes its place,
	// and Progress says so. Empty means a temporary folder, removed by Stop.
	Dir string

	// Durable keeps committed data through a power failure. Without it the
	// data survive the death of postgres, not that of the machine.
	Durable bool

	// Progress is told, in one line, about each step that takes its time or
	// that the reader should know of. It may be nil.
	Progress func(line string)

	// Parameters are settings of postgresql.conf that win over ours.
	Parameters map[string]string
}

func (o Options) say(line string) {
	if o.Progress != nil {
		o.Progress(line)
	}
}

// settings are the command line arguments of postgres, in a stable order.
func (o Options) settings(socketDir string) []string {
	values := map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": socketDir,
		"port":                    port,
	}
	if !o.Durable {
		values["fsync"] = "off"
		values["synchronous_commit"] = "off"
		values["full_page_writes"] = "off"
		values["max_wal_size"] = "128MB" // a temporary cluster may lie in memory
	}
	maps.Copy(values, o.Parameters)

	var arguments []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		arguments = append(arguments, "-c", name+"="+values[name])
	}
	return arguments
}
