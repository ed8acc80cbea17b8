package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// shownJob is a job as River's UI reads it.
type shownJob struct {
	ID   int    `json:"id"`
	Kind string `json:"kind"`
	Args string `json:"args"`
}

// jobs are those in a state.
func (i *instance) jobs(state string) (found []shownJob) {
	i.t.Helper()
	response, body := i.admin.exchange(i.admin.get("/jobs/api/jobs?state="+state, http.Header{}))
	var list struct{ Data any }
	list.Data = &found
	if err := json.Unmarshal(body, &list); err != nil || response.StatusCode != http.StatusOK {
		i.t.Fatalf("jobs are answered %s: %s (%v)", response.Status, body, err)
	}
	return found
}

func TestOperatorsSeeTheJobsThatThereAre(t *testing.T) {
	t.Parallel()
	for _, worker := range []bool{true, false} { // an instance that only inserts shows them too
		i := start(t, withAdmin, func(s *Settings) { s.Worker = worker })
		id := i.book("cara", 48)
		found := i.jobs("scheduled")
		if len(found) != 1 || found[0].Kind != "reminder" || !strings.Contains(found[0].Args, id) {
			t.Errorf("the jobs are %v, not the reminder of %s", found, id)
		}
		for path, part := range map[string]string{
			fmt.Sprintf("/jobs/api/jobs/%d", found[0].ID): id, "/jobs/api/states": `"scheduled":{"accuracy":"exact","count":1`, "/jobs/api/queues": "data",
		} {
			if response, body := i.admin.exchange(i.admin.get(path, http.Header{})); response.StatusCode != http.StatusOK || !strings.Contains(string(body), part) {
				t.Errorf("%s is answered %s: %s", path, response.Status, body)
			}
		}
	}
}

// A job that is cancelled by hand would leave its booking without its reminder.
func TestOperatorsCannotChangeJobs(t *testing.T) {
	t.Parallel()
	i := start(t, withAdmin)
	i.book("cara", 48)
	before := i.jobs("scheduled")
	for _, change := range [][2]string{
		{"POST", "jobs/cancel"},
		{"POST", "jobs/delete"},
		{"POST", "jobs/retry"},
		{"PUT", "queues/reminders/pause"},
		{"PUT", "queues/reminders/resume"},
		{"PATCH", "queues/reminders"},
		{"DELETE", "jobs"},
		{"post", "jobs/cancel"},
		{"MADEUP", "jobs"},
	} {
		header := http.Header{"Content-Type": {"application/json"}, "X-Http-Method-Override": {change[0]}}
		body := fmt.Appendf(nil, `{"ids":["%d"],"concurrency":null}`, before[0].ID)
		response, told := i.admin.exchange(i.admin.sendBody(change[0], "/jobs/api/"+change[1], body, header))
		if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" || strings.TrimSpace(string(told)) != onlyRead {
			t.Errorf("%s is answered %s: %s", change, response.Status, told)
		}
		for _, read := range []string{http.MethodGet, http.MethodHead} { // with what a change would send, they change nothing
			i.admin.exchange(i.admin.sendBody(read, "/jobs/api/"+change[1], body, header))
		}
	}
	if after := i.jobs("scheduled"); len(after) != 1 || after[0].ID != before[0].ID {
		t.Errorf("the jobs were %v and are %v", before, after)
	}
	for _, state := range []string{"cancelled", "available", "completed"} {
		if found := i.jobs(state); len(found) > 0 {
			t.Errorf("%v are %s", found, state)
		}
	}
}

func TestThePageOfJobsAsksNoOtherHost(t *testing.T) {
	t.Parallel()
	i := start(t, withAdmin)
	response, page := i.admin.exchange(i.admin.get("/jobs/", http.Header{}))
	if response.StatusCode != http.StatusOK {
		t.Fatalf("answered %s: %s", response.Status, page)
	}
	fetched := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(page), -1)
	if len(fetched) < 3 {
		t.Errorf("the page fetches too little to work: %v", fetched)
	}
	for _, one := range fetched {
		if !strings.HasPrefix(one[1], "/jobs/") {
			t.Fatalf("the page fetches %s", one[1])
		}
		response, asset := i.admin.exchange(i.admin.get(one[1], http.Header{}))
		if response.StatusCode != http.StatusOK || len(asset) == 0 {
			t.Errorf("%s is answered %s", one[1], response.Status)
		}
		// A style sheet could fetch too; the scripts' fetches go to the config's apiUrl.
		if foreign := regexp.MustCompile(`(?:@import|url\()\s*["']?(?:https?:)?//[^)]*`).Find(asset); foreign != nil {
			t.Errorf("%s fetches %s", one[1], foreign)
		}
	}
	if !strings.Contains(string(page), `"apiUrl":"/jobs/api"`) {
		t.Errorf("the page asks another API: %s", page)
	}
}
