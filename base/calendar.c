/* SPDX-License-Identifier: Apache-2.0
 *
 * The calendar is computed, not asked of libc: strptime and timegm know
 * neither fractions nor offsets, accept what RFC 3339 does not, and a locale
 * or TZ has no say in an answer that scripts rely on. Dates are the proleptic
 * Gregorian calendar's, counted in days since 1970-01-01 with years that
 * begin in March, so that the leap day is the last of its year.
 */
#include "base/calendar.h"

#define NS_PER_SECOND	INT64_C(1000000000)
#define SECONDS_PER_DAY INT64_C(86400)

static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t from_march = month > 2 ? month - 3 : month + 9;
	int64_t years = month > 2 ? year : year - 1;
	int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;

	/* Years are at least 0 here (four digits), but for January and
	 * February of year 0. */
	if (years < 0)
		return days_from_date(year + 400, month, day) - 146097;
	return 365 * years + years / 4 - years / 100 + years / 400 +
	       day_of_year - 719468;
}

static void date_from_days(int64_t days, int64_t *ret_year, int64_t *ret_month,
			   int64_t *ret_day)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
		365;
	int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 -
					year_of_era / 100);
	int64_t from_march = (5 * day_of_year + 2) / 153;

	*ret_day = day_of_year - (153 * from_march + 2) / 5 + 1;
	*ret_month = from_march < 10 ? from_march + 3 : from_march - 9;
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	int64_t next_month = month == 12 ? 1 : month + 1;
	int64_t next_year;

#ifdef WAYBILL_PLANT_TIMEPOINT
	/* A planted fault for the fuzzer: every year is a leap year. */
	year = 2000;
#endif
	next_year = month == 12 ? year + 1 : year;
	return days_from_date(next_year, next_month, 1) -
	       days_from_date(year, month, 1);
}

/* Reads exactly `digits` digits and moves `*text` behind them. */
static bool take_digits(const char **text, int digits, int64_t *ret_number)
{
	int64_t number = 0;

	for (int i = 0; i < digits; i++) {
		if (**text < '0' || **text > '9')
			return false;
		number = number * 10 + (*(*text)++ - '0');
	}
	*ret_number = number;
	return true;
}

static bool take(const char **text, char upper, char lower)
{
	if (**text != upper && **text != lower)
		return false;
	(*text)++;
	return true;
}

static bool take_date(const char **text, int64_t *ret_days)
{
	int64_t year;
	int64_t month;
	int64_t day;

	if (!take_digits(text, 4, &year) || !take(text, '-', '-') ||
	    !take_digits(text, 2, &month) || !take(text, '-', '-') ||
	    !take_digits(text, 2, &day))
		return false;
	*ret_days = days_from_date(year, month, day);
	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days_in_month(year, month);
}

/* Nine digits count; further ones are below a nanosecond. */
static bool take_fraction(const char **text, int64_t *ret_ns)
{
	int64_t unit = NS_PER_SECOND / 10;
	int64_t ns = 0;

	if (**text == '.') {
		(*text)++;
		if (**text < '0' || **text > '9')
			return false;
		for (; **text >= '0' && **text <= '9'; (*text)++) {
			ns += (**text - '0') * unit;
			unit /= 10;
		}
	}
	*ret_ns = ns;
	return true;
}

static bool take_offset(const char **text, int64_t *ret_seconds)
{
	int64_t sign = **text == '-' ? -1 : 1;
	int64_t hours;
	int64_t minutes;

	if (take(text, 'Z', 'z')) {
		*ret_seconds = 0;
		return true;
	}
	if (!take(text, '+', '-') || !take_digits(text, 2, &hours) ||
	    !take(text, ':', ':') || !take_digits(text, 2, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return hours <= 23 && minutes <= 59;
}

static bool take_time_of_day(const char **text, int64_t *ret_seconds,
			     int64_t *ret_ns)
{
	int64_t hour;
	int64_t minute;
	int64_t second;
	int64_t offset;

	if (!take_digits(text, 2, &hour) || !take(text, ':', ':') ||
	    !take_digits(text, 2, &minute) || !take(text, ':', ':') ||
	    !take_digits(text, 2, &second) || !take_fraction(text, ret_ns) ||
	    !take_offset(text, &offset))
		return false;
	*ret_seconds = hour * 3600 + minute * 60 + second - offset;
	return hour <= 23 && minute <= 59 &&
	       (second <= 59 ||
		(second == 60 && *ret_seconds % SECONDS_PER_DAY == 0));
}

bool time_parse(const char *text, int64_t *ret_time_ns)
{
	int64_t days;
	int64_t seconds = 0;
	int64_t ns = 0;
	int64_t time_ns;

	if (!take_date(&text, &days))
		return false;
	if (*text &&
	    (!take(&text, 'T', 't') || !take_time_of_day(&text, &seconds, &ns)))
		return false;
	if (*text)
		return false;
	seconds += days * SECONDS_PER_DAY;
	if (seconds < 0 && ns > 0) {
		/* Towards zero, where the first second of all fits too. */
		seconds++;
		ns -= NS_PER_SECOND;
	}
	if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &time_ns) ||
	    __builtin_add_overflow(time_ns, ns, &time_ns))
		return false;
	*ret_time_ns = time_ns;
	return true;
}

/* ---- writing ---- */

/* snprintf would cost more than all the rest of a dump's line. */
static char *put_digits(char *at, int64_t number, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return at + digits;
}

static char *put_date(char *at, int64_t days)
{
	int64_t year, month, day;

	date_from_days(days, &year, &month, &day);
	at = put_digits(at, year, 4);
	*at++ = '-';
	at = put_digits(at, month, 2);
	*at++ = '-';
	return put_digits(at, day, 2);
}

void time_format(int64_t time_ns, bool whole_seconds,
		 char ret_text[TIME_TEXT_BYTES])
{
	int64_t seconds = time_ns / NS_PER_SECOND;
	int64_t ns = time_ns % NS_PER_SECOND;
	int64_t days, of_day;
	char *at;

	if (ns < 0) {
		ns += NS_PER_SECOND;
		seconds--;
	}
	days = seconds / SECONDS_PER_DAY;
	of_day = seconds % SECONDS_PER_DAY;
	if (of_day < 0) {
		of_day += SECONDS_PER_DAY;
		days--;
	}
	at = put_date(ret_text, days);
	*at++ = 'T';
	at = put_digits(at, of_day / 3600, 2);
	*at++ = ':';
	at = put_digits(at, of_day / 60 % 60, 2);
	*at++ = ':';
	at = put_digits(at, of_day % 60, 2);
	if (ns > 0 && !whole_seconds) {
		*at++ = '.';
		at = put_digits(at, ns, 9);
	}
	*at++ = 'Z';
	*at = 0;
}
