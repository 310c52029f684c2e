// Command child is what command nested starts: it does what its arguments say and ends.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	_ "github.com/rayos/rayboot/efi/goefi"
)

func main() {
	work := "work"
	if len(os.Args) > 1 {
		work = os.Args[1]
	}
	switch work {
	case "work":
		done := make(chan int)
		go func() { done <- len(make([]byte, 3<<20)) }()
		time.Sleep(time.Millisecond)
		<-done
	case "exit":
		code, err := strconv.Atoi(os.Args[2])
		if err != nil {
			panic(err)
		}
		os.Exit(code)
	case "arguments":
		if fmt.Sprintf("%q", os.Args[2:]) != `["two words" "schön" "𝄞"]` {
			fmt.Printf("arguments are %q\n", os.Args)
			os.Exit(1)
		}
	case "panic":
		panic("on purpose")
	case "hoard":
		var all [][]byte
		for {
			all = append(all, make([]byte, 1<<20))
			all[len(all)-1][0] = 1
		}
	default:
		fmt.Println("unknown work:", work)
		os.Exit(1)
	}
}
