package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// windows makes steps with the first solver when it is told to: each line of in is a number of
// steps, and the answer a JSON object with their seconds. Between the lines it rests, so
// that another program can take turns with it on the same processors.
func windows(o options, set *dataset, in io.Reader, out io.Writer) error {
	t := newTrainer(o.solvers[0], o, set)
	defer t.close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		n, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil || n < 1 {
			return fmt.Errorf("-windows: %q is not a number of steps", lines.Text())
		}
		before := t.spent
		for range n {
			if err := t.step(); err != nil {
				return err
			}
		}
		b, err := json.Marshal(map[string]any{"steps": n, "seconds": (t.spent - before).Seconds(), "loss": number(t.loss)})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", b); err != nil {
			return err
		}
	}
	return lines.Err()
}
