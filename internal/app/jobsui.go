package app

import (
	"fmt"
	"net/http"

	"riverqueue.com/riverui"
)

const (
	jobsPath = "/jobs"
	// maxLooks is how many requests of River's UI ask PostgreSQL at a time: where jobs
	// are worked here, that is over the connections which work them.
	maxLooks = 2
	onlyRead = "jobs are only read here: one that is cancelled, deleted or run early would leave its booking without its reminder"
)

// mountJobs shows River's jobs in its own UI, which has no setting that keeps its
// buttons from changing them: only GET and HEAD reach it, which change nothing. It
// is not started, which would count all jobs again and again, whether somebody looks
// or not; without that it says of more than 10,000 how many PostgreSQL estimates.
func (s *Server) mountJobs(mux *http.ServeMux) error {
	ui, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(s.jobs, nil), Logger: s.log, Prefix: jobsPath,
	})
	if err != nil {
		return fmt.Errorf("make River's UI: %w", err)
	}
	mux.Handle("GET "+jobsPath+"/", ui)
	mux.Handle("GET "+jobsPath+"/api/", atATime(maxLooks, ui))
	mux.HandleFunc(jobsPath+"/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, onlyRead, http.StatusMethodNotAllowed)
	})
	return nil
}

// atATime lets requests wait until fewer than most are answered.
func atATime(most int, next http.Handler) http.Handler {
	places := make(chan struct{}, most)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}
