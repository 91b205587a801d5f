// Writes reference-times.fixture.json: what the reference's own library answers, for the spec beside it. Nothing of the
// project is built from it. To write it anew, in an empty folder outside of the project:
//
//	cp …/libs/cron/src/generate-reference-times.go main.go
//	go mod init times && go get github.com/gorhill/cronexpr@v0.0.0-20180427100037-88b0669f7d75
//	go run main.go > …/libs/cron/src/reference-times.fixture.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/gorhill/cronexpr"
)

type row struct {
	Cron  string   `json:"cron"`
	Zone  string   `json:"zone"`
	From  string   `json:"from"`
	Times []string `json:"times"`
}

// Expressions of every form, each from dates in which something happens to days and months.
var calendar = []string{
	"* * * * *", "*/15 * * * *", "5/15 * * * *", "3-59/20 * * * *", "0 0 * * *", "0 9-17 * * MON-FRI", "0 0 1 * *",
	"0 0 31 * *", "0 0 29 2 *", "0 0 30 2,4 *", "0 0 L * *", "0 0 LW * *", "0 0 l,15 * *", "0 0 LW,L,10 * *", "0 0 15W * *",
	"0 0 1W * *", "0 0 31W * *", "0 0 29W 2 *", "0 0 1W,15W,LW * *", "0 0 L 2 *", "0 0 * * 5L", "0 0 * * 0L", "0 0 * * 7L",
	"0 0 * * friL", "0 0 * * 1#1", "0 0 * * 1#5", "0 0 * * 5#2,3#4", "0 0 * * MON#2", "0 0 * * 7#3", "0 0 * * 1#1,5L,3",
	"0 0 13 * 5", "0 0 13 * ?", "0 0 ? * 5", "0 0 */10 * 1", "0 0 * * */2", "0 0 */1 * 3", "0 0 *,5 * 1", "0 0 5 * *,1",
	"0 0 15W * 5L", "0 0 LW * 1#1", "0 0 * * 7", "0 0 * * 0", "0 0 * * sun", "0 0 * * Sunday", "0 0 * * 7-3", "0 0 * * 5/1",
	"0 0 1 jan *", "0 0 1 January,JUL *", "0 0 1 2-12/3 *", "0 0 1 6/2 *", "0 0 1 */5 *", "00 07 09 8 *", "1,,2,0 0 * * *",
	",0 0, * * *", "0 0 1 1 * 2028", "0 0 1 1 * 2027-2031", "0 0 29 2 * 2027/1", "0 12 * * * 2020", "0 0 1 1 * 2026,2099",
	"0 0 1 1 * */7", "* * * * * * *", "*/7 * * * * * *", "30 59 23 31 12 * *", "0,30 0 12 ? * WED *", "15 */20 8 L * ? 2027",
	"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly", "  0\t 0  * *   * ",
}

var calendarFrom = []string{
	"2026-01-30T23:59:59Z", "2026-11-26T12:34:56Z", "2027-02-27T00:00:00Z", "2028-02-28T23:00:00Z",
}

// Expressions around the hours in which clocks change.
var clocks = []string{
	"*/20 * * * *", "0 * * * *", "30 * * * *", "0 2 * * *", "30 2 * * *", "30 1 * * *", "15 3 * * *", "0 */2 * * *", "0 0 * * *",
	"30 0,2 * * *", "0 0 L * *", "0 30 1-3 * * * *", "*/30 59 * * * * *", "10 2 * * 0#5", "45 1 1 11 *",
}

// Zones, each with hours before two changes of its clocks, or any hours where it has none.
var zones = map[string][]string{
	"UTC":                 {"2026-03-29T00:00:00Z"},
	"":                    {"2026-03-29T00:00:00Z"},
	"Europe/Paris":        {"2026-03-28T22:10:00Z", "2026-10-24T22:10:00Z"},
	"Europe/London":       {"2026-03-28T23:10:00Z", "2026-10-24T22:10:00Z"},
	"America/New_York":    {"2026-03-08T04:10:00Z", "2026-11-01T03:10:00Z"},
	"America/St_Johns":    {"2026-03-08T02:10:00Z", "2026-11-01T01:40:00Z"},
	"America/Santiago":    {"2026-04-05T01:10:00Z", "2026-09-06T02:10:00Z"},
	"Asia/Kolkata":        {"2026-03-29T00:00:00Z"},
	"Asia/Calcutta":       {"2026-10-24T22:10:00Z"},
	"Australia/Lord_Howe": {"2026-04-04T12:10:00Z", "2026-10-03T12:10:00Z"},
	"Pacific/Auckland":    {"2026-04-04T11:10:00Z", "2026-09-26T11:10:00Z"},
	"Pacific/Kiritimati":  {"2026-12-31T09:00:00Z"},
	"Etc/GMT+3":           {"2026-12-31T20:00:00Z"},
	"EST5EDT":             {"2026-03-08T04:10:00Z"},
}

var order = []string{
	"UTC", "", "Europe/Paris", "Europe/London", "America/New_York", "America/St_Johns", "America/Santiago", "Asia/Kolkata",
	"Asia/Calcutta", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Kiritimati", "Etc/GMT+3", "EST5EDT",
}

// The next times, each counted from the one before, as the reference's service does. Where it gives the same one for ever, or
// one that is past, the row ends with it.
func times(cron string, zone string, from string, n int) row {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		panic(err)
	}
	expression := cronexpr.MustParse(cron)
	answer := row{cron, zone, from, []string{}}
	for i := 0; i < n; i++ {
		next := expression.Next(at.In(location))
		if next.IsZero() {
			answer.Times = append(answer.Times, "none")
			break
		}
		answer.Times = append(answer.Times, next.UTC().Format(time.RFC3339))
		if !next.After(at) {
			break
		}
		at = next
	}
	return answer
}

func main() {
	rows := []row{}
	for _, cron := range calendar {
		for _, from := range calendarFrom {
			rows = append(rows, times(cron, "UTC", from, 3))
		}
	}
	for _, zone := range order {
		for _, from := range zones[zone] {
			for _, cron := range clocks {
				rows = append(rows, times(cron, zone, from, 8))
			}
		}
	}
	fmt.Println("[")
	for i, one := range rows {
		text, err := json.Marshal(one)
		if err != nil {
			panic(err)
		}
		comma := ","
		if i == len(rows)-1 {
			comma = ""
		}
		fmt.Fprintf(os.Stdout, "%s%s\n", text, comma)
	}
	fmt.Println("]")
}
