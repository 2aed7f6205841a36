/* SPDX-License-Identifier: Apache-2.0
 *
 * One fault each, caused on purpose, and what must be seen then. Tests run
 * them as they are, and again with a step of the code switched off, to see
 * them fail. The number is that of the fault in the design's list.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SCENARIO_H
#define WAYBILL_TESTS_SUPPORT_SCENARIO_H

#include "tests/support/oracle.h"

/* clang-format off */
#define SCENARIO_LIST(X)                                                      \
	/* power cuts: scenario_cut.c */                                      \
	X(fault_01_what_was_acknowledged_needs_nothing_unsynced)              \
	X(fault_02_unsynced_changes_arrive_in_any_order)                      \
	X(fault_03_a_frame_torn_at_any_sector_is_cut_and_kept)                \
	X(fault_03_a_frame_torn_at_any_byte_is_cut)                           \
	X(fault_04_a_group_without_its_first_frame_is_absent)                 \
	X(fault_05_zeros_behind_the_end_are_a_clean_end)                      \
	X(fault_06_a_segment_not_yet_in_place_is_removed)                     \
	X(fault_07_a_name_without_contents_is_loud)                           \
	X(fault_08_contents_durable_name_not)                                 \
	X(fault_08_the_name_of_a_new_store)                                   \
	X(fault_09_sealing_is_cut_anywhere)                                   \
	X(fault_12_recovery_is_cut_twice_anywhere)                            \
	X(fault_12_recovery_with_a_bad_anchor_slot_is_cut_anywhere)           \
	X(fault_13_what_a_killed_process_left_is_made_durable)                \
	X(fault_16_a_retry_after_a_lost_answer_has_one_effect)                \
	X(fault_44_what_was_refused_for_space_does_not_come_back)             \
	/* damage: scenario_damage.c */                                       \
	X(fault_18_a_flipped_bit_in_a_sealed_segment_is_loud)                 \
	X(fault_18_a_flipped_bit_in_a_mark_before_a_cut_is_loud)              \
	X(fault_18_a_footer_that_rots_after_the_open_is_loud)                 \
	X(fault_19_damage_before_the_durable_point_is_loud)                   \
	X(fault_20_damage_to_the_last_commit_is_loud_once_marked)             \
	X(fault_20_damage_to_a_mark_is_loud_where_no_anchor_tells)            \
	X(fault_25_a_frame_embedded_in_a_value_is_none)                       \
	X(fault_26_a_segment_of_another_store_is_loud)                        \
	X(fault_27_every_segment_has_a_salt_of_its_own)                       \
	X(fault_27_an_older_anchor_put_back_is_loud)                          \
	X(fault_28_a_missing_segment_is_loud)                                 \
	X(fault_29_the_newest_segment_missing_is_loud)                        \
	X(fault_33_one_bad_anchor_slot_loses_nothing)                         \
	X(fault_33_one_bad_header_copy_loses_nothing)                         \
	X(fault_35_a_record_that_rots_in_memory_is_not_served)                \
	X(fault_75_history_edited_before_a_cut_is_loud)                       \
	X(fault_75_history_edited_before_a_footer_is_loud)                    \
	X(fault_75_history_edited_before_the_anchor_is_loud)                  \
	X(a_gap_in_the_revisions_is_loud)                                     \
	/* failed syncs, and what others see: scenario_sync.c */              \
	X(fault_38_nothing_is_written_after_a_failed_sync)                    \
	X(fault_39_a_lying_page_cache_is_not_believed)                        \
	X(fault_39_a_lying_page_cache_behind_the_anchor)                      \
	X(fault_39_a_lying_page_cache_of_the_anchor)                          \
	X(nothing_is_visible_before_it_is_durable)                            \
	X(an_abort_waits_for_what_it_has_seen)                                \
	X(a_refusal_waits_for_what_it_has_seen)                               \
	/* repairs, salvages, loads: scenario_repair.c */                      \
	X(fault_13_a_repair_builds_on_names_that_are_durable)                 \
	X(fault_33_a_header_copy_that_was_repaired_stays_so)                  \
	X(fault_33_an_anchor_is_rebuilt_on_what_was_synced)                   \
	X(fault_33_an_anchor_is_not_rebuilt_without_proof)                    \
	X(fault_36_a_salvage_is_read_back_from_the_disk)                      \
	X(fault_39_an_anchor_is_not_rebuilt_on_a_lying_page_cache)            \
	X(a_salvage_that_is_cut_leaves_no_half_store)                         \
	X(a_salvaged_store_needs_nothing_unsynced)                            \
	X(a_load_that_is_cut_leaves_no_half_store)                            \
	X(a_loaded_store_needs_nothing_unsynced)                              \
	X(a_dump_that_was_changed_is_not_loaded)                              \
	X(a_dump_with_another_count_is_not_loaded)                            \
	/* the second reader: scenario_audit.c */                             \
	X(a_header_copy_that_differs_is_loud)                                 \
	X(the_second_reader_verifies_headers)                                 \
	X(the_second_reader_verifies_anchor_slots)                            \
	X(the_second_reader_verifies_frames)                                  \
	X(the_second_reader_compares_header_copies)                           \
	X(the_second_reader_knows_the_first_chain_value)                      \
	X(the_second_reader_holds_the_chain_against_successors)               \
	X(the_second_reader_holds_the_chain_against_footers)                  \
	X(the_second_reader_holds_the_chain_against_the_anchor)               \
	X(the_second_reader_holds_footers_against_commits)                    \
	X(the_second_reader_knows_another_stores_segments)                    \
	X(an_edited_history_is_not_what_was_exported)
/* clang-format on */

#define SCENARIO_DECLARE(name) bool name(struct complaint *complaint);
SCENARIO_LIST(SCENARIO_DECLARE)
#undef SCENARIO_DECLARE

struct scenario {
	const char *name;
	/* False: there is a complaint. */
	bool (*run)(struct complaint *complaint);
};

/* In the order of the list; the last one has no name. */
extern const struct scenario scenarios[];

/* NULL: there is none of that name. */
const struct scenario *scenario_find(const char *name);

#endif
