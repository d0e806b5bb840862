package main

import (
	"image"
	"image/color"
	"math"
)

// The pictures of the set. Each is a function from a point to a colour. x goes from 0 to
// 1, and y from 0 to the picture's height over its width.

// A tint is a colour with parts from 0 to 1.
type tint struct{ r, g, b float64 }

func hex(rgb uint32) tint {
	return tint{float64(rgb>>16&0xff) / 255, float64(rgb>>8&0xff) / 255, float64(rgb&0xff) / 255}
}

// to mixes two colours: t is how much of the other.
func (a tint) to(b tint, t float64) tint {
	t = clamp(t)
	return tint{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

func (a tint) opaque() color.NRGBA { return a.alpha(1) }

func (a tint) alpha(t float64) color.NRGBA {
	part := func(v float64) uint8 { return uint8(255*clamp(v) + 0.5) }
	return color.NRGBA{part(a.r), part(a.g), part(a.b), part(t)}
}

func clamp(v float64) float64 { return min(max(v, 0), 1) }

// edge is 0 before v = at, 1 behind it, and smooth over width.
func edge(v, at, width float64) float64 {
	t := clamp((v-at)/width + 0.5)
	return t * t * (3 - 2*t)
}

// noise is the same number from 0 to 1 for the same whole numbers.
func noise(x, y int) float64 {
	h := uint32(x)*0x8da6b343 ^ uint32(y)*0xd8163841
	h = (h ^ h>>13) * 0x9e3779b1
	h = (h ^ h>>15) * 0x85ebca77
	return float64(h>>8) / (1 << 24)
}

// paint makes a picture.
func paint(width, height int, at func(x, y float64) color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for j := range height {
		for i := range width {
			img.SetNRGBA(i, j, at((float64(i)+0.5)/float64(width), (float64(j)+0.5)/float64(width)))
		}
	}
	return img
}

// paintIndexed makes a picture of the colours of a palette.
func paintIndexed(width, height int, palette color.Palette, at func(x, y float64) int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	for j := range height {
		for i := range width {
			img.Pix[j*img.Stride+i] = uint8(at((float64(i)+0.5)/float64(width), (float64(j)+0.5)/float64(width)))
		}
	}
	return img
}

// ramp is a palette of n colours between those given.
func ramp(n int, stops ...tint) color.Palette {
	var p color.Palette
	for i := range n {
		v := float64(i) / float64(n-1) * float64(len(stops)-1)
		at := min(int(v), len(stops)-2)
		p = append(p, stops[at].to(stops[at+1], v-float64(at)).opaque())
	}
	return p
}

func sunset(x, y float64) color.NRGBA {
	const horizon = 0.47
	sky := func(y float64) tint {
		c := hex(0x2b1b4d).to(hex(0xc2416b), y/0.3).to(hex(0xffb35c), (y-0.22)/0.25)
		d := math.Hypot(x-0.62, y-0.36)
		c = c.to(hex(0xffe9b0), 0.75*math.Exp(-9*d))
		return hex(0xfff6d8).to(c, edge(d, 0.085, 0.004))
	}
	if y < horizon {
		c := sky(y)
		hill := 0.43 - 0.05*math.Sin(5*x+0.5) - 0.015*math.Sin(17*x) - 0.08*math.Exp(-40*(x-0.1)*(x-0.1))
		return c.to(hex(0x2a1838), edge(y, hill, 0.003)).opaque()
	}
	depth := (y - horizon) / 0.28
	wave := 0.012 * math.Sin(700*depth/(1+3*depth)+3*math.Sin(9*x)) * (0.3 + depth)
	c := sky(horizon-(y-horizon)*1.2+wave).to(hex(0x1d1440), 0.35+0.3*depth)
	glint := math.Exp(-math.Pow((x-0.62)/(0.05+0.12*depth), 2)) * clamp(math.Sin(420*depth/(1+2*depth)+2*math.Sin(30*x)))
	return c.to(hex(0xffe2a8), 0.7*glint).opaque()
}

func mountains(x, y float64) color.NRGBA {
	c := hex(0x8fc1e8).to(hex(0xf7e7cf), y/0.4)
	c = c.to(hex(0xffffff), 0.8*edge(-math.Hypot(x-0.78, y-0.14), -0.05, 0.004))
	for layer := range 6 {
		l := float64(layer)
		f := 2 + 0.9*l
		ridge := 0.22 + 0.075*l
		for octave := range 6 {
			k := float64(int(1) << octave)
			ridge -= 0.075 / k * math.Abs(math.Sin(f*k*x+l*2.7+float64(octave)*1.3)) * (1.2 - 0.1*l)
		}
		tone := hex(0x9db8d2).to(hex(0x14323a), l/5)
		tone = tone.to(hex(0xe8eef2), 0.45*clamp((y-ridge)*4)*(1-l/6)) // mist in the valleys
		if layer == 1 || layer == 2 {
			tone = hex(0xf8fbff).to(tone, edge(y, ridge+0.022+0.012*math.Sin(90*x), 0.006))
		}
		c = c.to(tone, edge(y, ridge, 0.0015))
	}
	return c.opaque()
}

// poster has flat colours: the numbers are those of posterColors.
func poster(x, y float64) int {
	inCircle := func(cx, cy, r float64) bool { return math.Hypot(x-cx, y-cy) < r }
	switch {
	case x < 0.05 || x > 0.95 || y < 0.05 || y > 1.28:
		return 0
	case inCircle(0.62, 0.42, 0.1):
		return 1
	case inCircle(0.62, 0.42, 0.24):
		return 2
	case x-0.12 > 0 && y-0.55 > 0 && x-0.12+(y-0.55) < 0.5:
		return 3
	case math.Abs(x-y+0.35) < 0.035:
		return 1
	case y > 1.1 && y < 1.2 && x > 0.12 && x < 0.88 && math.Mod(x-0.12, 0.095) < 0.06:
		return 4
	case inCircle(0.25, 0.25, 0.11) && x < 0.25:
		return 4
	case x > 0.55 && x < 0.86 && y > 0.78 && y < 1.02 && math.Mod(y, 0.04) < 0.02:
		return 1
	}
	return 5
}

var posterColors = color.Palette{
	hex(0xf6efe0).opaque(), hex(0x1f2430).opaque(), hex(0xd8412f).opaque(),
	hex(0x2b5fa8).opaque(), hex(0xe9b12c).opaque(), hex(0xeadfc8).opaque(),
}

// page looks like text: words are bars of random lengths.
func page(x, y float64) color.NRGBA {
	white, ink := hex(0xfdfcf8), hex(0x3a3d44)
	inside := func(x0, x1, y0, y1 float64) bool { return x >= x0 && x < x1 && y >= y0 && y < y1 }
	switch {
	case inside(0.12, 0.7, 0.12, 0.165):
		if math.Mod(x*23, 5.3) > 0.5 {
			return hex(0x9c2f3a).opaque()
		}
	case inside(0.12, 0.88, 0.21, 0.213):
		return hex(0xb9b4a6).opaque()
	case inside(0.56, 0.88, 0.56, 0.83): // a figure
		v := clamp((x - 0.56) / 0.32)
		if inside(0.58, 0.86, 0.58, 0.81) && math.Mod(v*8, 1) < 0.7 && 0.81-y < 0.06+0.15*noise(int(v*8), 77) {
			return hex(0x3c78b5).to(hex(0x63b598), v).opaque()
		}
		return hex(0xeef1f4).opaque()
	case inside(0.12, 0.88, 0.25, 1.3):
		const leading = 0.026
		line := int((y - 0.25) / leading)
		if line%13 == 12 || math.Mod(y-0.25, leading) > 0.014 || y > 0.55 && y < 0.84 && x > 0.54 {
			break
		}
		end := 0.88
		if line%13 == 11 {
			end = 0.35 + 0.3*noise(line, 5)
		}
		letter := int(x * 90)
		space := noise(letter/3, line) < 0.4 && letter%3 == 2
		if x < end && !space {
			return ink.to(white, 0.35*noise(int(x*300), line*7+int(y*400))).opaque()
		}
	}
	return white.opaque()
}

// tiles are Truchet's: quarter circles that join at random.
func tiles(x, y float64) color.NRGBA {
	const n = 9
	i, j := int(x*n), int(y*n)
	u, v := x*n-float64(i), y*n-float64(j)
	if noise(i, j) < 0.5 {
		u = 1 - u
	}
	d := min(math.Hypot(u, v), math.Hypot(1-u, 1-v))
	back := hex(0x0f3d4c).to(hex(0x1b6a6f), (x+y)/2)
	band := hex(0xf2c14e).to(hex(0xf25f5c), y)
	distance := math.Abs(d - 0.5)
	c := hex(0xfff4d6).to(band, edge(distance, 0.05, 0.02))
	c = c.to(hex(0x0a2730), edge(distance, 0.16, 0.02))
	return c.to(back, edge(distance, 0.21, 0.02)).opaque()
}

func plasma(x, y float64) color.NRGBA {
	v := math.Sin(9*x) + math.Sin(7*y+2) + math.Sin(11*(x+y)) + math.Sin(24*math.Hypot(x-0.3, y-0.2))
	part := func(phase float64) float64 { return 0.5 + 0.5*math.Sin(1.3*v+phase) }
	return tint{part(0), part(2.1), part(4.2)}.opaque()
}

// badge is transparent around a star in a ring.
func badge(x, y float64) color.NRGBA {
	x, y = 2*x-1, 2*y-1
	r, angle := math.Hypot(x, y), math.Atan2(x, -y)
	rim := 0.9 + 0.035*math.Cos(24*angle)
	c := hex(0xc9302c).to(hex(0xf7d674), edge(r, 0.72, 0.01)).to(hex(0xb8860b), edge(r, 0.84, 0.01))
	c = hex(0xfff3c4).to(c, edge(star(r, angle), 0, 0.012))
	return c.to(hex(0xffffff), 0.18*clamp(-x-y)).alpha(1 - edge(r, rim, 0.008))
}

// star is how far a point is beyond an edge of a star with five points, the first at
// angle 0.
func star(r, angle float64) float64 {
	const outer, inner = 0.62, 0.62 * 0.382
	turn := 2 * math.Pi / 5
	a := math.Abs(math.Remainder(angle, turn)) // from the nearest point
	nx, ny := inner*math.Sin(turn/2), outer-inner*math.Cos(turn/2)
	return ((r*math.Cos(a)-outer)*nx + r*math.Sin(a)*ny) / math.Hypot(nx, ny)
}

func mandelbrot(x, y float64) color.NRGBA {
	const most = 160
	cr, ci := -2.25+3.1*x, 3.1*(y-1.0/3)
	var zr, zi float64
	for n := range most {
		zr, zi = zr*zr-zi*zi+cr, 2*zr*zi+ci
		if size := zr*zr + zi*zi; size > 256 {
			t := (float64(n) + 1 - math.Log2(math.Log2(size)/8)) / 40
			glow := hex(0x0b1a4a).to(hex(0x2f7fd6), t*2.2).to(hex(0xfff1c9), (t-0.3)*2)
			return glow.to(hex(0xe0762a), (t-0.8)*1.4).opaque()
		}
	}
	return hex(0x05060f).opaque()
}

// skyline is a town at night.
func skyline(x, y float64) color.NRGBA {
	c := hex(0x070b24).to(hex(0x3d2c63), y/0.2)
	if star := noise(int(x*700), int(y*700)); star > 0.996 {
		c = c.to(hex(0xffffff), (star-0.996)*250)
	}
	c = hex(0xf5edd2).to(c, edge(math.Hypot(x-0.17, y-0.055), 0.026, 0.002))
	for layer := range 2 {
		width := 0.022 + 0.012*float64(layer)
		house := int(x / width)
		top := 0.195 - 0.12*noise(house, 40+layer)*(1-0.45*float64(layer))
		if y < top {
			continue
		}
		c = hex(0x1a1f45).to(hex(0x0a0d1f), float64(layer))
		u, v := math.Mod(x, width)*260, (y-top)*260
		if math.Mod(u, 1.4) > 0.6 && math.Mod(v, 2) > 0.9 && noise(int(u/1.4)+50*house, int(v/2)+99*layer) > 0.55 {
			c = hex(0xffd77a).to(hex(0xff9e4f), noise(house, int(v)))
		}
	}
	return c.opaque()
}

// ribbon is for a picture that is much higher than wide.
func ribbon(x, y float64) color.NRGBA {
	stops := []tint{hex(0x264653), hex(0x2a9d8f), hex(0xe9c46a), hex(0xf4a261), hex(0xe76f51)}
	v := y/7*4 + 0.16*math.Sin(4*y)*(x-0.5)
	at := min(max(int(v), 0), 3)
	c := stops[at].to(stops[at+1], v-float64(at))
	strand := math.Abs(x - 0.5 - 0.3*math.Sin(2.6*y))
	other := math.Abs(x - 0.5 + 0.3*math.Sin(2.6*y))
	return hex(0xffffff).to(c, 0.15+0.85*edge(min(strand, other), 0.05, 0.02)).opaque()
}

// weave is grey.
func weave(x, y float64) color.NRGBA {
	u, v := math.Sin(60*x), math.Sin(60*y)
	over := (int(60*x/math.Pi)+int(60*y/math.Pi))%2 == 0
	t := math.Abs(u)
	if over {
		t = math.Abs(v)
	}
	t = 0.15 + 0.7*t*(0.6+0.4*math.Sin(2*x+3*y))
	return tint{t, t, t}.opaque()
}

// ripples is one of n frames: the numbers are those of a ramp of 64.
func ripples(frame, n int) func(x, y float64) int {
	phase := 2 * math.Pi * float64(frame) / float64(n)
	return func(x, y float64) int {
		a, b := math.Hypot(x-0.3, y-0.3), math.Hypot(x-0.75, y-0.5)
		v := math.Sin(55*a-phase)/(1+3*a) + math.Sin(55*b-phase)/(1+3*b)
		return int(63 * clamp(0.5+0.36*v))
	}
}

// ghost is a small picture, pixel by pixel.
var ghost = []string{
	"................",
	".....######.....",
	"...##########...",
	"..############..",
	"..############..",
	".##oo####oo####.",
	".#oooo##oooo###.",
	".#ooxx##ooxx###.",
	".#ooxx##ooxx###.",
	".##oo####oo####.",
	".##############.",
	".##############.",
	".##############.",
	".##############.",
	".###.###..##.##.",
	".#....#....#..#.",
}

func ghostAt(x, y float64) int {
	return map[byte]int{'.': 0, '#': 1, 'o': 2, 'x': 3}[ghost[int(y*16)][int(x*16)]]
}

var ghostColors = color.Palette{
	hex(0x11131c).opaque(), hex(0xff7ab8).opaque(), hex(0xffffff).opaque(), hex(0x2437d8).opaque(),
}
