//go:build unix

package embeddedpg

import (
	"io/fs"
	"path/filepath"
	"time"
)

// measureEvery is often enough for a person who waits.
const measureEvery = 250 * time.Millisecond

// watchGrowth tells how much there is of a folder that somebody fills, until unwatch
// is called. npm unpacks what it fetches as it comes, and says nothing meanwhile.
func watchGrowth(folder string, total int64, told func(done, total int64)) (unwatch func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(measureEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				told(min(bytesIn(folder), total), total)
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// bytesIn is the size of all files of a folder. What is not there yet, or any more, is
// nothing.
func bytesIn(folder string) (size int64) {
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // the rest counts all the same
		}
		if info, err := entry.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}
