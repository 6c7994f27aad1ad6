;; The product that takes nearly all of the network's time: out[i, m] = bias[m] + sum over k of x[i, k] * weight[m, k].
;; Four rows of weights and two tokens at a time, four numbers an instruction (SIMD).
(module
  (memory (export "memory") 1)

  ;; The sum of each of four vectors, side by side.
  (func $sums (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (local $ab v128) (local $cd v128)
    (local.set $ab (f32x4.add  ;; a0 + a2, b0 + b2, a1 + a3, b1 + b3
      (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b))
      (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b))))
    (local.set $cd (f32x4.add
      (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d))
      (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d))))
    (f32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd))))

  ;; All but $n, $K and $M are addresses of float32. $n must be even, $K and $M multiples of four.
  (func (export "linear")
    (param $x i32) (param $n i32) (param $K i32) (param $weight i32) (param $bias i32) (param $M i32) (param $out i32)
    (local $stride i32) (local $row i32) (local $m i32) (local $i i32) (local $end i32) (local $to i32)
    (local $x0 i32) (local $x1 i32) (local $w0 i32) (local $w1 i32) (local $w2 i32) (local $w3 i32)
    (local $u v128) (local $v v128) (local $w v128) (local $b v128)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128)  ;; sums of the first token
    (local $b0 v128) (local $b1 v128) (local $b2 v128) (local $b3 v128)  ;; and of the second
    (local.set $stride (i32.shl (local.get $K) (i32.const 2)))
    (local.set $row (local.get $weight))
    (loop $rows
      (local.set $b (v128.load (i32.add (local.get $bias) (i32.shl (local.get $m) (i32.const 2)))))
      (local.set $x0 (local.get $x))
      (local.set $to (i32.add (local.get $out) (i32.shl (local.get $m) (i32.const 2))))
      (local.set $i (i32.const 0))
      (loop $tokens
        (local.set $x1 (i32.add (local.get $x0) (local.get $stride)))
        (local.set $w0 (local.get $row))
        (local.set $w1 (i32.add (local.get $w0) (local.get $stride)))
        (local.set $w2 (i32.add (local.get $w1) (local.get $stride)))
        (local.set $w3 (i32.add (local.get $w2) (local.get $stride)))
        (local.set $end (local.get $x1))
        (local.set $a0 (v128.const f32x4 0 0 0 0)) (local.set $b0 (v128.const f32x4 0 0 0 0))
        (local.set $a1 (v128.const f32x4 0 0 0 0)) (local.set $b1 (v128.const f32x4 0 0 0 0))
        (local.set $a2 (v128.const f32x4 0 0 0 0)) (local.set $b2 (v128.const f32x4 0 0 0 0))
        (local.set $a3 (v128.const f32x4 0 0 0 0)) (local.set $b3 (v128.const f32x4 0 0 0 0))
        (loop $channels
          (local.set $u (v128.load (local.get $x0)))
          (local.set $v (v128.load (local.get $x1)))
          (local.set $w (v128.load (local.get $w0)))
          (local.set $a0 (f32x4.add (local.get $a0) (f32x4.mul (local.get $u) (local.get $w))))
          (local.set $b0 (f32x4.add (local.get $b0) (f32x4.mul (local.get $v) (local.get $w))))
          (local.set $w (v128.load (local.get $w1)))
          (local.set $a1 (f32x4.add (local.get $a1) (f32x4.mul (local.get $u) (local.get $w))))
          (local.set $b1 (f32x4.add (local.get $b1) (f32x4.mul (local.get $v) (local.get $w))))
          (local.set $w (v128.load (local.get $w2)))
          (local.set $a2 (f32x4.add (local.get $a2) (f32x4.mul (local.get $u) (local.get $w))))
          (local.set $b2 (f32x4.add (local.get $b2) (f32x4.mul (local.get $v) (local.get $w))))
          (local.set $w (v128.load (local.get $w3)))
          (local.set $a3 (f32x4.add (local.get $a3) (f32x4.mul (local.get $u) (local.get $w))))
          (local.set $b3 (f32x4.add (local.get $b3) (f32x4.mul (local.get $v) (local.get $w))))
          (local.set $x0 (i32.add (local.get $x0) (i32.const 16)))
          (local.set $x1 (i32.add (local.get $x1) (i32.const 16)))
          (local.set $w0 (i32.add (local.get $w0) (i32.const 16)))
          (local.set $w1 (i32.add (local.get $w1) (i32.const 16)))
          (local.set $w2 (i32.add (local.get $w2) (i32.const 16)))
          (local.set $w3 (i32.add (local.get $w3) (i32.const 16)))
          (br_if $channels (i32.lt_u (local.get $x0) (local.get $end))))
        (v128.store (local.get $to) (f32x4.add (local.get $b)
          (call $sums (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3))))
        (local.set $to (i32.add (local.get $to) (i32.shl (local.get $M) (i32.const 2))))
        (v128.store (local.get $to) (f32x4.add (local.get $b)
          (call $sums (local.get $b0) (local.get $b1) (local.get $b2) (local.get $b3))))
        (local.set $to (i32.add (local.get $to) (i32.shl (local.get $M) (i32.const 2))))
        (local.set $x0 (local.get $x1))  ;; where the second token ends, the next one begins
        (local.set $i (i32.add (local.get $i) (i32.const 2)))
        (br_if $tokens (i32.lt_u (local.get $i) (local.get $n))))
      (local.set $row (i32.add (local.get $row) (i32.shl (local.get $stride) (i32.const 2))))
      (local.set $m (i32.add (local.get $m) (i32.const 4)))
      (br_if $rows (i32.lt_u (local.get $m) (local.get $M))))))
