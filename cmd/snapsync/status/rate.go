package status

import "time"

// rate is bytes per second over the last few seconds.
type rate struct {
	slots [rateSlots]int64 // bytes in each of the last seconds
	last  int64            // the second of the newest slot
	first int64            // the second of the first byte
}

const rateSlots = 8

func (r *rate) add(now time.Time, n int64) {
	r.advance(now.Unix())
	r.slots[r.last%rateSlots] += n
}

func (r *rate) advance(second int64) {
	if r.first == 0 {
		r.first, r.last = second, second
	}
	for r.last < second {
		r.last++
		r.slots[r.last%rateSlots] = 0
		if second-r.last > rateSlots {
			r.last = second - rateSlots
		}
	}
}

func (r *rate) at(now time.Time) float64 {
	if r.first == 0 {
		return 0
	}
	r.advance(now.Unix())
	var sum int64
	for _, n := range r.slots {
		sum += n
	}
	return float64(sum) / float64(min(now.Unix()-r.first+1, rateSlots))
}
