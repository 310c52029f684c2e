package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// EFI_RNG_PROTOCOL (UEFI 2.10 §37.5).
var rngProtocol = [2]uint64{0x433deade3152bca5, 0x441f29dc1cc02e86}

const rngGetRNG = 8 // offset of the member

// getrandom serves cryptographic randomness: from the firmware, else from the processor, else it fails with a line that says
// so. It never makes do with less. The firmware writes into a buffer of the kernel, since a driver may use DMA.
func (k *Kernel) getrandom(to, size uintptr) int64 {
	rng := k.protocol(0, &rngProtocol)
	buffer := address(&k.firmware.buffer)
	for done := uintptr(0); done < size; {
		n := min(size-done, uintptr(len(k.firmware.buffer))*8)
		if !k.firmwareRandom(rng, buffer, n) && !k.processorRandom(buffer) {
			k.refuseRandom()
			return errIO
		}
		mem.Copy(to+done, buffer, n)
		done += n
	}
	mem.Zero(buffer, uintptr(len(k.firmware.buffer))*8)
	return int64(size)
}

func (k *Kernel) firmwareRandom(rng, to, n uintptr) bool {
	return rng != 0 && k.call(mem.LoadWord(rng+rngGetRNG), rng, 0, n, to) == statusSuccess
}

// processorRandom fills the kernel's buffer.
func (k *Kernel) processorRandom(buffer uintptr) bool {
	for i := range uintptr(len(k.firmware.buffer)) {
		word, ok := k.Machine.Random()
		if !ok {
			return false
		}
		mem.Store64(buffer+i*8, word)
	}
	return true
}

func (k *Kernel) refuseRandom() {
	if !k.warned {
		k.warned = true
		k.Report("goefi: no random numbers: neither EFI_RNG_PROTOCOL nor the processor's generator works; " +
			"add a virtio-rng device or choose a processor with RDRAND\n")
	}
}

// seed returns a word for the runtime's hash seeds (AT_RANDOM). Without a generator in the processor it is made from the
// counter and the clock, which an attacker may guess: hash seeds only spread keys, and a boot loader hashes nothing hostile.
func (k *Kernel) seed() uint64 {
	if word, ok := k.Machine.Random(); ok {
		return word
	}
	z := k.Machine.Ticks() + k.wall // then the finaliser of SplitMix64
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
