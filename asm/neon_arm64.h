// Advanced SIMD instructions that the Go assembler lacks, as macros. Operands
// are register numbers, in the order of the Go assembler: sources from the last
// of Arm's to the first, then the destination. So VFSUB_S4(1, 2, 3) is V3 = V2 − V1,
// and VFMLAE_S4(m, i, n, d) is Vd += Vn · Vm[i]. Addresses are register numbers, too.
// What the assembler has (VFMLA on whole vectors, FMOVQ, FLDPQ, VDUP, VBSL, …) is
// not repeated, except where a macro needs the register as a number.

// Fused multiply-add and multiply-subtract, product by an element of Vm.
#define VFMLAE_S4(m, i, n, d) WORD $(0x4F801000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
#define VFMLAE_D2(m, i, n, d) WORD $(0x4FC01000 | (i)<<11 | (m)<<16 | (n)<<5 | (d))
#define VFMLSE_S4(m, i, n, d) WORD $(0x4F805000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
#define VFMLSE_D2(m, i, n, d) WORD $(0x4FC05000 | (i)<<11 | (m)<<16 | (n)<<5 | (d))
#define VFMULE_S4(m, i, n, d) WORD $(0x4F809000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
#define VFMULE_D2(m, i, n, d) WORD $(0x4FC09000 | (i)<<11 | (m)<<16 | (n)<<5 | (d))

// The same on whole vectors.
#define VFMLA_S4(m, n, d) WORD $(0x4E20CC00 | (m)<<16 | (n)<<5 | (d))
#define VFMLA_D2(m, n, d) WORD $(0x4E60CC00 | (m)<<16 | (n)<<5 | (d))
#define VFMLS_S4(m, n, d) WORD $(0x4EA0CC00 | (m)<<16 | (n)<<5 | (d))
#define VFMLS_D2(m, n, d) WORD $(0x4EE0CC00 | (m)<<16 | (n)<<5 | (d))

// Arithmetic.
#define VFADD_S4(m, n, d) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))
#define VFADD_D2(m, n, d) WORD $(0x4E60D400 | (m)<<16 | (n)<<5 | (d))
#define VFSUB_S4(m, n, d) WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d))
#define VFSUB_D2(m, n, d) WORD $(0x4EE0D400 | (m)<<16 | (n)<<5 | (d))
#define VFMUL_S4(m, n, d) WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))
#define VFMUL_D2(m, n, d) WORD $(0x6E60DC00 | (m)<<16 | (n)<<5 | (d))
#define VFDIV_S4(m, n, d) WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d))
#define VFDIV_D2(m, n, d) WORD $(0x6E60FC00 | (m)<<16 | (n)<<5 | (d))
#define VFMAX_S4(m, n, d) WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d)) // NaN if one is NaN
#define VFMAX_D2(m, n, d) WORD $(0x4E60F400 | (m)<<16 | (n)<<5 | (d))
#define VFMAXNM_S4(m, n, d) WORD $(0x4E20C400 | (m)<<16 | (n)<<5 | (d)) // the other if one is NaN
#define VFMAXNM_D2(m, n, d) WORD $(0x4E60C400 | (m)<<16 | (n)<<5 | (d))
#define VFCMEQ_S4(m, n, d) WORD $(0x4E20E400 | (m)<<16 | (n)<<5 | (d))
#define VFCMEQ_D2(m, n, d) WORD $(0x4E60E400 | (m)<<16 | (n)<<5 | (d))
#define VFABS_S4(n, d) WORD $(0x4EA0F800 | (n)<<5 | (d))
#define VFABS_D2(n, d) WORD $(0x4EE0F800 | (n)<<5 | (d))
#define VFNEG_S4(n, d) WORD $(0x6EA0F800 | (n)<<5 | (d))
#define VFNEG_D2(n, d) WORD $(0x6EE0F800 | (n)<<5 | (d))
#define VFSQRT_S4(n, d) WORD $(0x6EA1F800 | (n)<<5 | (d))
#define VFSQRT_D2(n, d) WORD $(0x6EE1F800 | (n)<<5 | (d))

#define VFMIN_S4(m, n, d) WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d)) // NaN if one is NaN
#define VFMIN_D2(m, n, d) WORD $(0x4EE0F400 | (m)<<16 | (n)<<5 | (d))
#define VFCMGT_S4(m, n, d) WORD $(0x6EA0E400 | (m)<<16 | (n)<<5 | (d)) // Vn > Vm
#define VFCMGT_D2(m, n, d) WORD $(0x6EE0E400 | (m)<<16 | (n)<<5 | (d))

// Integers and bits.
#define VADD_S4(m, n, d) WORD $(0x4EA08400 | (m)<<16 | (n)<<5 | (d))
#define VADD_D2(m, n, d) WORD $(0x4EE08400 | (m)<<16 | (n)<<5 | (d))
#define VSUB_S4(m, n, d) WORD $(0x6EA08400 | (m)<<16 | (n)<<5 | (d))
#define VSUB_D2(m, n, d) WORD $(0x6EE08400 | (m)<<16 | (n)<<5 | (d))
#define VSHL_S4(s, n, d) WORD $(0x4F005400 | (32+(s))<<16 | (n)<<5 | (d))
#define VSHL_D2(s, n, d) WORD $(0x4F005400 | (64+(s))<<16 | (n)<<5 | (d))
#define VUSHR_S4(s, n, d) WORD $(0x6F000400 | (64-(s))<<16 | (n)<<5 | (d))
#define VUSHR_D2(s, n, d) WORD $(0x6F000400 | (128-(s))<<16 | (n)<<5 | (d))
#define VAND_B16(m, n, d) WORD $(0x4E201C00 | (m)<<16 | (n)<<5 | (d))
#define VORR_B16(m, n, d) WORD $(0x4EA01C00 | (m)<<16 | (n)<<5 | (d))
#define VORN_B16(m, n, d) WORD $(0x4EE01C00 | (m)<<16 | (n)<<5 | (d)) // Vn or not Vm

// An element of Vn in all elements of Vd.
#define VDUPE_S4(i, n, d) WORD $(0x4E040400 | (i)<<19 | (n)<<5 | (d))
#define VDUPE_D2(i, n, d) WORD $(0x4E080400 | (i)<<20 | (n)<<5 | (d))

// Vd takes the bits of Vn where those of Vm are one.
#define VBIT_B16(m, n, d) WORD $(0x6EA01C00 | (m)<<16 | (n)<<5 | (d))

// All bits of Vd zero.
#define VZERO(d) WORD $(0x6F00E400 | (d))

// Loads and stores: one (S, D, Q) or two (PQ) registers at [Xn], and one at
// [Xn + Xm] (X).
#define LDRS(n, t) WORD $(0xBD400000 | (n)<<5 | (t))
#define LDRD(n, t) WORD $(0xFD400000 | (n)<<5 | (t))
#define LDRQ(n, t) WORD $(0x3DC00000 | (n)<<5 | (t))
#define LDPQ(n, t, u) WORD $(0xAD400000 | (u)<<10 | (n)<<5 | (t))
#define STRS(t, n) WORD $(0xBD000000 | (n)<<5 | (t))
#define STRD(t, n) WORD $(0xFD000000 | (n)<<5 | (t))
#define STRQ(t, n) WORD $(0x3D800000 | (n)<<5 | (t))
#define STPQ(t, u, n) WORD $(0xAD000000 | (u)<<10 | (n)<<5 | (t))
#define LDRSX(n, m, t) WORD $(0xBC606800 | (m)<<16 | (n)<<5 | (t))
#define LDRDX(n, m, t) WORD $(0xFC606800 | (m)<<16 | (n)<<5 | (t))
#define LDRQX(n, m, t) WORD $(0x3CE06800 | (m)<<16 | (n)<<5 | (t))
#define STRQX(t, n, m) WORD $(0x3CA06800 | (m)<<16 | (n)<<5 | (t))

// Loads and stores of two registers at [Xn + 16·o].
#define LDPQO(n, o, t, u) WORD $(0xAD400000 | ((o)&127)<<15 | (u)<<10 | (n)<<5 | (t))
#define STPQO(t, u, n, o) WORD $(0xAD000000 | ((o)&127)<<15 | (u)<<10 | (n)<<5 | (t))
