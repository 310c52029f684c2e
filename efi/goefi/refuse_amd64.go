package goefi

// refusal says why the program cannot run in the processor's present mode, as a line for the user; "" means that it can. None of
// these modes is the usual one of a firmware, and none can be left while the firmware lives in it.
func refusal(s *cpuState) string {
	switch {
	case s.cr4&cr4LA57 != 0:
		return "goefi: cannot run: the firmware uses 5-level paging (LA57); turn it off in the firmware's setup or choose a processor without it\n"
	case s.cr4&cr4PCIDE != 0:
		return "goefi: cannot run: the firmware uses process-context identifiers (PCID); turn them off in the firmware's setup\n"
	case s.cr4&cr4CET != 0:
		return "goefi: cannot run: the firmware uses control-flow enforcement (CET); turn it off in the firmware's setup\n"
	}
	return ""
}
