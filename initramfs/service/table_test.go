package service_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/service"
)

func TestTable(t *testing.T) {
	var table service.Table
	if states := table.States(); len(states) > 0 {
		t.Errorf("an empty table: %+v", states)
	}
	table.Started("b", time.Second)
	table.Started("a", 2*time.Second)
	table.Ended(service.Ended{Name: "b", Err: errors.New("broken")}, 3*time.Second)
	table.Started("b", 4*time.Second)
	table.Ended(service.Ended{Name: "a"}, 5*time.Second)
	want := []service.State{
		{Name: "b", Running: true, Starts: 2, Since: 4 * time.Second, LastEnd: "broken"},
		{Name: "a", Starts: 1, Since: 5 * time.Second},
	}
	if states := table.States(); !reflect.DeepEqual(states, want) {
		t.Errorf("got %+v\nwant %+v", states, want)
	}
}
