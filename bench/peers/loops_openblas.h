// Loops of calls to OpenBLAS. Each function serves both element types: dbl tells
// which, and operands are untyped.

#include <stdlib.h>
#include <string.h>
#include <cblas.h>

extern void sgesdd_(const char *, const int *, const int *, float *, const int *, float *, float *,
	const int *, float *, const int *, float *, const int *, int *, int *);
extern void dgesdd_(const char *, const int *, const int *, double *, const int *, double *, double *,
	const int *, double *, const int *, double *, const int *, int *, int *);

// LAPACK, of which cblas.h says nothing. Row-major lower is column-major upper.
void ssyevd_(const char *, const char *, const int *, float *, const int *, float *, float *, const int *, int *, const int *, int *);
void dsyevd_(const char *, const char *, const int *, double *, const int *, double *, double *, const int *, int *, const int *, int *);

#define REPEAT(reps, d, s) \
	if (dbl) for (long i = 0; i < (reps); i++) d; \
	else for (long i = 0; i < (reps); i++) s

static void loop_gemm(int dbl, long reps, int ta, int tb, int m, int n, int k, double alpha,
		const void *a, int lda, const void *b, int ldb, double beta, void *c, int ldc) {
	REPEAT(reps,
		cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc),
		cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc));
}

// Products of n×n matrices that lie one after the other.
static void loop_gemm_batch(int dbl, long reps, int count, int ta, int tb, int n, double alpha,
		const void *a, const void *b, double beta, void *c) {
	size_t step = (size_t)n * n * (dbl ? sizeof(double) : sizeof(float));
	for (long r = 0; r < reps; r++)
		for (size_t i = 0; i < count * step; i += step)
			loop_gemm(dbl, 1, ta, tb, n, n, n, alpha, (const char *)a + i, n, (const char *)b + i, n, beta, (char *)c + i, n);
}

static void loop_syrk(int dbl, long reps, int ul, int ta, int n, int k, double alpha,
		const void *a, int lda, double beta, void *c, int ldc) {
	REPEAT(reps,
		cblas_dsyrk(CblasRowMajor, ul, ta, n, k, alpha, a, lda, beta, c, ldc),
		cblas_ssyrk(CblasRowMajor, ul, ta, n, k, alpha, a, lda, beta, c, ldc));
}

static void loop_syr2k(int dbl, long reps, int ul, int ta, int n, int k, double alpha,
		const void *a, int lda, const void *b, int ldb, double beta, void *c, int ldc) {
	REPEAT(reps,
		cblas_dsyr2k(CblasRowMajor, ul, ta, n, k, alpha, a, lda, b, ldb, beta, c, ldc),
		cblas_ssyr2k(CblasRowMajor, ul, ta, n, k, alpha, a, lda, b, ldb, beta, c, ldc));
}

static void loop_symm(int dbl, long reps, int side, int ul, int m, int n, double alpha,
		const void *a, int lda, const void *b, int ldb, double beta, void *c, int ldc) {
	REPEAT(reps,
		cblas_dsymm(CblasRowMajor, side, ul, m, n, alpha, a, lda, b, ldb, beta, c, ldc),
		cblas_ssymm(CblasRowMajor, side, ul, m, n, alpha, a, lda, b, ldb, beta, c, ldc));
}

static void loop_trmm(int dbl, long reps, int side, int ul, int ta, int m, int n, double alpha,
		const void *a, int lda, void *b, int ldb) {
	REPEAT(reps,
		cblas_dtrmm(CblasRowMajor, side, ul, ta, CblasNonUnit, m, n, alpha, a, lda, b, ldb),
		cblas_strmm(CblasRowMajor, side, ul, ta, CblasNonUnit, m, n, alpha, a, lda, b, ldb));
}

static void loop_trsm(int dbl, long reps, int side, int ul, int ta, int m, int n, double alpha,
		const void *a, int lda, void *b, int ldb) {
	REPEAT(reps,
		cblas_dtrsm(CblasRowMajor, side, ul, ta, CblasNonUnit, m, n, alpha, a, lda, b, ldb),
		cblas_strsm(CblasRowMajor, side, ul, ta, CblasNonUnit, m, n, alpha, a, lda, b, ldb));
}

static void loop_gemv(int dbl, long reps, int ta, int m, int n, double alpha,
		const void *a, int lda, const void *x, double beta, void *y) {
	REPEAT(reps,
		cblas_dgemv(CblasRowMajor, ta, m, n, alpha, a, lda, x, 1, beta, y, 1),
		cblas_sgemv(CblasRowMajor, ta, m, n, alpha, a, lda, x, 1, beta, y, 1));
}

static void loop_ger(int dbl, long reps, int m, int n, double alpha,
		const void *x, const void *y, void *a, int lda) {
	REPEAT(reps,
		cblas_dger(CblasRowMajor, m, n, alpha, x, 1, y, 1, a, lda),
		cblas_sger(CblasRowMajor, m, n, alpha, x, 1, y, 1, a, lda));
}

static void loop_symv(int dbl, long reps, int ul, int n, double alpha,
		const void *a, int lda, const void *x, double beta, void *y) {
	REPEAT(reps,
		cblas_dsymv(CblasRowMajor, ul, n, alpha, a, lda, x, 1, beta, y, 1),
		cblas_ssymv(CblasRowMajor, ul, n, alpha, a, lda, x, 1, beta, y, 1));
}

// c = aᵀ, a is m×n.
static void loop_transpose(int dbl, long reps, int m, int n, void *a, int lda, void *c, int ldc) {
	REPEAT(reps,
		cblas_domatcopy(CblasRowMajor, CblasTrans, m, n, 1, a, lda, c, ldc),
		cblas_somatcopy(CblasRowMajor, CblasTrans, m, n, 1, a, lda, c, ldc));
}

static double loop_dot(int dbl, long reps, int n, const void *x, const void *y) {
	volatile double r = 0;
	REPEAT(reps, r = cblas_ddot(n, x, 1, y, 1), r = cblas_sdot(n, x, 1, y, 1));
	return r;
}

static double loop_asum(int dbl, long reps, int n, const void *x) {
	volatile double r = 0;
	REPEAT(reps, r = cblas_dasum(n, x, 1), r = cblas_sasum(n, x, 1));
	return r;
}

static double loop_iamax(int dbl, long reps, int n, const void *x) {
	volatile double r = 0;
	REPEAT(reps, r = cblas_idamax(n, x, 1), r = cblas_isamax(n, x, 1));
	return r;
}

static void loop_axpy(int dbl, long reps, int n, double alpha, const void *x, void *y) {
	REPEAT(reps, cblas_daxpy(n, alpha, x, 1, y, 1), cblas_saxpy(n, alpha, x, 1, y, 1));
}

static void loop_axpby(int dbl, long reps, int n, double alpha, const void *x, double beta, void *y) {
	REPEAT(reps, cblas_daxpby(n, alpha, x, 1, beta, y, 1), cblas_saxpby(n, alpha, x, 1, beta, y, 1));
}

static void loop_scal(int dbl, long reps, int n, double alpha, void *x) {
	REPEAT(reps, cblas_dscal(n, alpha, x, 1), cblas_sscal(n, alpha, x, 1));
}

// The singular values, and with job 'S' the thin vectors, of the row-major m×n matrix a with m ≥ n.
// Each call works on a copy in columns.
static void loop_gesdd(int dbl, long reps, char job, int m, int n, const void *a, int lda, void *s) {
	size_t size = dbl ? 8 : 4;
	char *at = malloc(size * m * n), *x = malloc(size * m * n), *u = malloc(size * m * n), *vt = malloc(size * n * n);
	int *iwork = malloc(sizeof(int) * 8 * n), lwork = -1, info;
	double query[1];
	if (dbl) {
		cblas_domatcopy(CblasRowMajor, CblasTrans, m, n, 1, a, lda, (double *)at, m);
		dgesdd_(&job, &m, &n, (double *)x, &m, s, (double *)u, &m, (double *)vt, &n, query, &lwork, iwork, &info);
		lwork = query[0];
	} else {
		cblas_somatcopy(CblasRowMajor, CblasTrans, m, n, 1, a, lda, (float *)at, m);
		sgesdd_(&job, &m, &n, (float *)x, &m, s, (float *)u, &m, (float *)vt, &n, (float *)query, &lwork, iwork, &info);
		lwork = ((float *)query)[0];
	}
	void *work = malloc(size * lwork);
	for (long i = 0; i < reps; i++) {
		memcpy(x, at, size * m * n);
		if (dbl)
			dgesdd_(&job, &m, &n, (double *)x, &m, s, (double *)u, &m, (double *)vt, &n, work, &lwork, iwork, &info);
		else
			sgesdd_(&job, &m, &n, (float *)x, &m, s, (float *)u, &m, (float *)vt, &n, work, &lwork, iwork, &info);
	}
	free(work), free(iwork), free(vt), free(u), free(x), free(at);
}

void spotrf_(const char *, const int *, float *, const int *, int *);
void dpotrf_(const char *, const int *, double *, const int *, int *);
void spotri_(const char *, const int *, float *, const int *, int *);
void dpotri_(const char *, const int *, double *, const int *, int *);
void spotrs_(const char *, const int *, const int *, const float *, const int *, float *, const int *, int *);
void dpotrs_(const char *, const int *, const int *, const double *, const int *, double *, const int *, int *);

// Cholesky factors of count n×n matrices in c, where they lie one after the other, copied from the
// given ones in a in turn; then their inverses, or with x the solution for one right-hand side each, copied
// from b to x.
static void loop_cholesky(int dbl, long reps, int inverse, int lower, int count, int given, int n,
		const void *a, void *c, const void *b, void *x) {
	size_t size = dbl ? sizeof(double) : sizeof(float), step = (size_t)n * n * size;
	const char *ul = lower ? "U" : "L";
	const int one = 1;
	int info;
	for (long r = 0; r < reps; r++) {
		for (int i = 0; i < count; i += given)
			memcpy((char *)c + i * step, a, (count - i < given ? count - i : given) * step);
		if (x)
			memcpy(x, b, count * n * size);
		for (int i = 0; i < count; i++) {
			void *ci = (char *)c + i * step, *xi = (char *)x + i * n * size;
			if (dbl) {
				dpotrf_(ul, &n, ci, &n, &info);
				if (inverse) dpotri_(ul, &n, ci, &n, &info);
				if (x) dpotrs_(ul, &n, &one, ci, &n, xi, &n, &info);
			} else {
				spotrf_(ul, &n, ci, &n, &info);
				if (inverse) spotri_(ul, &n, ci, &n, &info);
				if (x) spotrs_(ul, &n, &one, ci, &n, xi, &n, &info);
			}
		}
	}
}

// All eigenvalues of the n×n matrix a, and its eigenvectors in b if so asked.
static void loop_eigen(int dbl, long reps, int vectors, int n, const void *a, void *b, void *w) {
	int size = dbl ? sizeof(double) : sizeof(float), lwork = 1 + 6 * n + 2 * n * n, liwork = 3 + 5 * n, info;
	void *work = malloc((size_t)lwork * size);
	int *iwork = malloc(liwork * sizeof(int));
	const char *job = vectors ? "V" : "N";
	for (long i = 0; i < reps; i++) {
		memcpy(b, a, (size_t)n * n * size);
		if (dbl)
			dsyevd_(job, "U", &n, b, &n, w, work, &lwork, iwork, &liwork, &info);
		else
			ssyevd_(job, "U", &n, b, &n, w, work, &lwork, iwork, &liwork, &info);
	}
	free(work);
	free(iwork);
}

// LAPACK, whose matrices are stored by columns.
void sgeqrf_(const int *, const int *, float *, const int *, float *, float *, const int *, int *);
void dgeqrf_(const int *, const int *, double *, const int *, double *, double *, const int *, int *);
void sorgqr_(const int *, const int *, const int *, float *, const int *, const float *, float *, const int *, int *);
void dorgqr_(const int *, const int *, const int *, double *, const int *, const double *, double *, const int *, int *);
void sgeqp3_(const int *, const int *, float *, const int *, int *, float *, float *, const int *, int *);
void dgeqp3_(const int *, const int *, double *, const int *, int *, double *, double *, const int *, int *);

// Copies the m×n matrix a to c, factors it there and puts the diagonal of R to x.
// Without pivots Q is formed, too. work has 64·(m+n) + n elements.
#define QR(T, p) \
	memcpy(c, a, sizeof(T) * m * n); \
	T *tau = (T *)work, *rest = tau + n; \
	if (pivots) { \
		memset(pivots, 0, sizeof(int) * n); \
		p##geqp3_(&m, &n, c, &m, pivots, tau, rest, &length, &info); \
	} else { \
		p##geqrf_(&m, &n, c, &m, tau, rest, &length, &info); \
	} \
	for (int i = 0; i < n; i++) ((T *)x)[i] = ((T *)c)[(size_t)i * m + i]; \
	if (!pivots) p##orgqr_(&m, &n, &n, c, &m, tau, rest, &length, &info)

static void loop_qr(int dbl, long reps, int m, int n, const void *a, void *c, void *x, int *pivots, void *work) {
	int length = 64 * (m + n), info;
	for (long r = 0; r < reps; r++)
		if (dbl) {
			QR(double, d);
		} else {
			QR(float, s);
		}
}

void sgetrf_(const int *, const int *, float *, const int *, int *, int *);
void dgetrf_(const int *, const int *, double *, const int *, int *, int *);
void ssytrf_(const char *, const int *, float *, const int *, int *, float *, const int *, int *);
void dsytrf_(const char *, const int *, double *, const int *, int *, double *, const int *, int *);
void ssytrs_(const char *, const int *, const int *, const float *, const int *, const int *, float *, const int *, int *);
void dsytrs_(const char *, const int *, const int *, const double *, const int *, const int *, double *, const int *, int *);
void spstrf_(const char *, const int *, float *, const int *, int *, int *, const float *, float *, int *);
void dpstrf_(const char *, const int *, double *, const int *, int *, int *, const double *, double *, int *);

// Copies the symmetric n×n matrix a to c and factors it there: 'L' as L·U, 'D' as L·D·Lᵀ,
// with the solution for b in x, 'P' by Cholesky with pivots. Row-major lower is column-major
// upper.
static void loop_factor(int dbl, long reps, char what, int n, const void *a, void *c, const void *b, void *x) {
	size_t size = dbl ? sizeof(double) : sizeof(float);
	int *pivots = malloc(sizeof(int) * n), length = 64 * n, rank, info;
	void *work = malloc(size * length);
	const int one = 1;
	const float snone = -1;
	const double dnone = -1;
	for (long r = 0; r < reps; r++) {
		memcpy(c, a, size * n * n);
		if (b)
			memcpy(x, b, size * n);
		switch (what) {
		case 'L':
			if (dbl) dgetrf_(&n, &n, c, &n, pivots, &info);
			else sgetrf_(&n, &n, c, &n, pivots, &info);
			break;
		case 'D':
			if (dbl) {
				dsytrf_("U", &n, c, &n, pivots, work, &length, &info);
				dsytrs_("U", &n, &one, c, &n, pivots, x, &n, &info);
			} else {
				ssytrf_("U", &n, c, &n, pivots, work, &length, &info);
				ssytrs_("U", &n, &one, c, &n, pivots, x, &n, &info);
			}
			break;
		case 'P':
			if (dbl) dpstrf_("U", &n, c, &n, pivots, &rank, &dnone, work, &info);
			else spstrf_("U", &n, c, &n, pivots, &rank, &snone, work, &info);
		}
	}
	free(work), free(pivots);
}
