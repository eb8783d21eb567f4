// Rows of a tile of columns, held in one to three registers: 3 and 2 registers, of
// which the last may overlap the one before it, one register (Q), half of one
// (D), one element (1). R12 is the offset in bytes of the last of 3 or 2.

// Register j of row i.
#define ACC(i, j) (3*(i)+(j))

// Load and store of a row of columns at Xn, registers from t on.
#define LDROW3(n, t) LDPQ(n, t, (t)+1); LDRQX(n, 12, (t)+2)
#define LDROW2(n, t) LDRQ(n, t); LDRQX(n, 12, (t)+1)
#define LDROWQ(n, t) LDRQ(n, t)
#define LDROWD(n, t) LDRD(n, t)
#define LDROW1(n, t) LDR1(n, t)
#define STROW3(t, n) STPQ(t, (t)+1, n); STRQX((t)+2, n, 12)
#define STROW2(t, n) STRQ(t, n); STRQX((t)+1, n, 12)
#define STROWQ(t, n) STRQ(t, n)
#define STROWD(t, n) STRD(t, n)
#define STROW1(t, n) STR1(t, n)
