/* SPDX-License-Identifier: Apache-2.0
 *
 * The scripts of Unicode 13.0 by the names that RE2 knows, in order. PCRE2
 * knows other spellings, abbreviations and later scripts as well.
 */
#include "images/regexp_private.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char *const scripts[] = {
	"Adlam", "Ahom", "Anatolian_Hieroglyphs", "Arabic", "Armenian",
	"Avestan", "Balinese", "Bamum", "Bassa_Vah", "Batak", "Bengali",
	"Bhaiksuki", "Bopomofo", "Brahmi", "Braille", "Buginese", "Buhid",
	"Canadian_Aboriginal", "Carian", "Caucasian_Albanian", "Chakma", "Cham",
	"Cherokee", "Chorasmian", "Common", "Coptic", "Cuneiform", "Cypriot",
	"Cyrillic", "Deseret", "Devanagari", "Dives_Akuru", "Dogra", "Duployan",
	"Egyptian_Hieroglyphs", "Elbasan", "Elymaic", "Ethiopic", "Georgian",
	"Glagolitic", "Gothic", "Grantha", "Greek", "Gujarati", "Gunjala_Gondi",
	"Gurmukhi", "Han", "Hangul", "Hanifi_Rohingya", "Hanunoo", "Hatran",
	"Hebrew", "Hiragana", "Imperial_Aramaic", "Inherited",
	"Inscriptional_Pahlavi", "Inscriptional_Parthian", "Javanese", "Kaithi",
	"Kannada", "Katakana", "Kayah_Li", "Kharoshthi", "Khitan_Small_Script",
	"Khmer", "Khojki", "Khudawadi", "Lao", "Latin", "Lepcha", "Limbu",
	"Linear_A", "Linear_B", "Lisu", "Lycian", "Lydian", "Mahajani",
	"Makasar", "Malayalam", "Mandaic", "Manichaean", "Marchen",
	"Masaram_Gondi", "Medefaidrin", "Meetei_Mayek", "Mende_Kikakui",
	"Meroitic_Cursive", "Meroitic_Hieroglyphs", "Miao", "Modi", "Mongolian",
	"Mro", "Multani", "Myanmar", "Nabataean", "Nandinagari", "New_Tai_Lue",
	"Newa", "Nko", "Nushu", "Nyiakeng_Puachue_Hmong", "Ogham", "Ol_Chiki",
	"Old_Hungarian", "Old_Italic", "Old_North_Arabian", "Old_Permic",
	"Old_Persian", "Old_Sogdian", "Old_South_Arabian", "Old_Turkic",
	"Oriya", "Osage", "Osmanya", "Pahawh_Hmong", "Palmyrene", "Pau_Cin_Hau",
	"Phags_Pa", "Phoenician", "Psalter_Pahlavi", "Rejang", "Runic",
	"Samaritan", "Saurashtra", "Sharada", "Shavian", "Siddham",
	"SignWriting", "Sinhala", "Sogdian", "Sora_Sompeng", "Soyombo",
	"Sundanese", "Syloti_Nagri", "Syriac", "Tagalog", "Tagbanwa", "Tai_Le",
	"Tai_Tham", "Tai_Viet", "Takri", "Tamil", "Tangut", "Telugu", "Thaana",
	"Thai", "Tibetan", "Tifinagh", "Tirhuta", "Ugaritic", "Vai", "Wancho",
	"Warang_Citi", "Yezidi", "Yi", "Zanabazar_Square",
};
/* clang-format on */

static int compare(const void *name, const void *script)
{
	const struct wb_bytes *wanted = name;
	const char *const *known = script;
	size_t size = strlen(*known);
	size_t common = size < wanted->size ? size : wanted->size;
	int order = memcmp(wanted->data, *known, common);

	if (order != 0)
		return order;
	return wanted->size < size ? -1 : wanted->size > size;
}

bool is_script(struct wb_bytes name)
{
	return bsearch(&name, scripts, sizeof(scripts) / sizeof(*scripts),
		       sizeof(*scripts), compare);
}
