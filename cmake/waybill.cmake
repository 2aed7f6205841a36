# SPDX-License-Identifier: Apache-2.0
# The words that CMakeLists.txt is written in.
#
#   module(NAME USES… FILES… PROTO… LINKS…)   a folder, one static library
#   library(NAME MODULES… EXPORTS… PKG_CONFIG… PACKAGE…)
#                                             lib<NAME>.a and lib<NAME>.so
#   tool(NAME USES… FILES… LINKS…)            an executable from tools/
#   documents(NAME COMPLETION… PAGES…)        for bash and man
#   examples(NAME… LINKS…)                    examples/<NAME>.c
#   tests(USES… LINKS… CONTROLS… WHOLE… ALLOCATIONS…)
#                                             tests/test_<x>.c, one program each
#   scripts(PATTERN… ONCE PATTERN…)           tests that are scripts and print TAP
#   fuzzers(USES…)                            tests/fuzz/fuzz_<x>.c
#   bench(NAME USES…)                         bench/<NAME>.c
#
# LINKS are libraries from outside, by the names of the table below. The
# lists are read by tests/habits too, so they hold plain words only.
#
# A module is compiled a second time, as <NAME>_controls, when a test is
# listed under CONTROLS: there a single sync, rename or check can be switched
# off (base/control.h). An option for the whole build was discarded: then
# either no test would see the objects that are shipped, or the shipped
# objects could be weakened.
include_guard()
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
find_program(SCDOC scdoc)
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
enable_testing()

set(pkg_check check)
set(pkg_crypto libcrypto)
set(pkg_jansson jansson)
set(pkg_pcre2 libpcre2-8)
set(pkg_protobuf-c libprotobuf-c)
set(pkg_sqlite3 sqlite3)
set(pkg_xxhash libxxhash)

set(WAYBILL_SANITIZE "" CACHE STRING
	"Sanitizers for all code: address,undefined or thread or fuzzer")
option(WAYBILL_COVERAGE "Count executed lines and branches with gcov")

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
	set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

# Asserts are part of the product: NDEBUG is never defined.
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

set(generated_dir ${PROJECT_BINARY_DIR}/generated)
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion
	-Wmissing-prototypes -Werror)
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
include_directories(SYSTEM ${generated_dir})

set(fuzzing OFF)
if(WAYBILL_SANITIZE STREQUAL fuzzer)
	set(fuzzing ON)
	add_compile_options(-fsanitize=fuzzer-no-link,address)
	add_link_options(-fsanitize=address)
elseif(WAYBILL_SANITIZE)
	add_compile_options(-fsanitize=${WAYBILL_SANITIZE})
	add_link_options(-fsanitize=${WAYBILL_SANITIZE})
endif()
if(WAYBILL_SANITIZE)
	add_compile_options(-fno-omit-frame-pointer -fno-sanitize-recover=all)
endif()
if(WAYBILL_COVERAGE)
	add_compile_options(--coverage -fprofile-update=atomic)
	add_link_options(--coverage)
endif()

# Turns the words of LINKS into targets.
function(external ret_targets)
	set(targets)
	foreach(word IN LISTS ARGN)
		if(word STREQUAL threads)
			list(APPEND targets Threads::Threads)
			continue()
		endif()
		if(NOT DEFINED pkg_${word})
			message(FATAL_ERROR "LINKS ${word}: not in the table")
		endif()
		if(NOT TARGET PkgConfig::${word})
			pkg_check_modules(${word} REQUIRED QUIET
				IMPORTED_TARGET GLOBAL ${pkg_${word}})
		endif()
		list(APPEND targets PkgConfig::${word})
	endforeach()
	set(${ret_targets} ${targets} PARENT_SCOPE)
endfunction()

# Appends a suffix to each word: "base;log" -> "base_controls;log_controls".
function(suffixed ret_list suffix)
	list(TRANSFORM ARGN APPEND "${suffix}")
	set(${ret_list} ${ARGN} PARENT_SCOPE)
endfunction()

# x.proto -> generated/<folder>/x.pb-c.[ch], included as "<folder>/x.pb-c.h".
# What protoc-c writes is not ours to warn about.
function(proto_sources ret_sources module)
	set(sources)
	foreach(file IN LISTS ARGN)
		string(REGEX REPLACE "[.]proto$" ".pb-c" stem ${module}/${file})
		set(outputs ${generated_dir}/${stem}.c ${generated_dir}/${stem}.h)
		add_custom_command(OUTPUT ${outputs}
			COMMAND ${CMAKE_COMMAND} -E make_directory
				${generated_dir}
			COMMAND ${PROTOC_C} --c_out=${generated_dir}
				-I ${PROJECT_SOURCE_DIR}
				${PROJECT_SOURCE_DIR}/${module}/${file}
			DEPENDS ${module}/${file} VERBATIM)
		set_source_files_properties(${generated_dir}/${stem}.c
			PROPERTIES COMPILE_OPTIONS -w)
		list(APPEND sources ${outputs})
	endforeach()
	if(sources)
		add_custom_target(${module}_proto DEPENDS ${sources})
		set_property(GLOBAL APPEND PROPERTY proto_targets
			${module}_proto)
	endif()
	set(${ret_sources} ${sources} PARENT_SCOPE)
endfunction()

function(module name)
	cmake_parse_arguments(PARSE_ARGV 1 M "" "" "USES;FILES;PROTO;LINKS")
	external(links ${M_LINKS})
	list(TRANSFORM M_FILES PREPEND ${name}/)
	proto_sources(generated ${name} ${M_PROTO})
	foreach(suffix IN ITEMS "" _controls)
		set(target ${name}${suffix})
		suffixed(uses "${suffix}" ${M_USES})
		add_library(${target} STATIC ${M_FILES} ${generated})
		target_link_libraries(${target} PUBLIC ${uses} PRIVATE ${links})
		if(generated)
			add_dependencies(${target} ${name}_proto)
		endif()
	endforeach()
	target_compile_definitions(${name}_controls PRIVATE WAYBILL_CONTROLS)
	set_target_properties(${name}_controls PROPERTIES EXCLUDE_FROM_ALL ON)
	set_property(GLOBAL APPEND PROPERTY modules ${name})
	set_property(GLOBAL PROPERTY files_${name} ${M_FILES})
	set_property(GLOBAL PROPERTY links_${name} ${M_LINKS})
endfunction()

# The archive holds one object in which everything but the public symbols is
# local: a program that links it may have a log_open() of its own.
function(library name)
	cmake_parse_arguments(PARSE_ARGV 1 L ""
		"EXPORTS;PKG_CONFIG;PACKAGE" "MODULES")
	if(fuzzing)
		return()
	endif()
	set(objects)
	set(words)
	foreach(module IN LISTS L_MODULES)
		list(APPEND objects $<TARGET_OBJECTS:${module}>)
		get_property(links GLOBAL PROPERTY links_${module})
		list(APPEND words ${links})
	endforeach()
	list(REMOVE_DUPLICATES words)
	external(links ${words})

	set(map ${PROJECT_SOURCE_DIR}/${L_EXPORTS})
	add_library(lib${name} SHARED ${objects})
	target_link_libraries(lib${name} PRIVATE ${links})
	target_link_options(lib${name} PRIVATE -Wl,--version-script=${map})
	if(NOT WAYBILL_SANITIZE)
		target_link_options(lib${name} PRIVATE -Wl,-z,defs)
	endif()
	set_target_properties(lib${name} PROPERTIES OUTPUT_NAME ${name}
		SOVERSION ${PROJECT_VERSION_MAJOR} VERSION ${PROJECT_VERSION}
		LINKER_LANGUAGE C LINK_DEPENDS ${map})

	set(whole ${PROJECT_BINARY_DIR}/lib${name}.o)
	add_custom_command(OUTPUT ${whole}
		COMMAND ${CMAKE_LINKER} -r -o ${whole} ${objects}
		COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${whole}
		DEPENDS ${objects} COMMAND_EXPAND_LISTS VERBATIM)
	set_source_files_properties(${whole} PROPERTIES
		EXTERNAL_OBJECT ON GENERATED ON)
	add_library(lib${name}_static STATIC ${whole})
	target_link_libraries(lib${name}_static INTERFACE ${links})
	set_target_properties(lib${name}_static PROPERTIES
		OUTPUT_NAME ${name} LINKER_LANGUAGE C)

	set(requires)
	foreach(word IN LISTS words)
		if(DEFINED pkg_${word})
			string(APPEND requires " ${pkg_${word}}")
		endif()
	endforeach()
	# Both find the rest from where they stand, so that an installation
	# may be made with any --prefix, and moved.
	set(packages ${CMAKE_INSTALL_LIBDIR}/cmake/${name})
	# An absolute LIBDIR or INCLUDEDIR stays where it is.
	cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
		BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
		OUTPUT_VARIABLE prefix_from_pc)
	foreach(dir IN ITEMS LIBDIR INCLUDEDIR)
		set(pc_${dir} ${CMAKE_INSTALL_${dir}})
		if(NOT IS_ABSOLUTE ${pc_${dir}})
			string(PREPEND pc_${dir} "\${prefix}/")
		endif()
	endforeach()
	configure_file(${L_PKG_CONFIG} ${name}.pc @ONLY)
	configure_package_config_file(${L_PACKAGE} ${name}-config.cmake
		INSTALL_DESTINATION ${packages}
		PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
	write_basic_package_version_file(${name}-config-version.cmake
		COMPATIBILITY SameMinorVersion)
	target_include_directories(lib${name} INTERFACE
		$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
	set_target_properties(lib${name} PROPERTIES EXPORT_NAME ${name})
	install(TARGETS lib${name} EXPORT ${name})
	install(TARGETS lib${name}_static)
	install(EXPORT ${name} FILE ${name}-targets.cmake
		NAMESPACE ${name}:: DESTINATION ${packages})
	install(DIRECTORY include/${name} TYPE INCLUDE)
	install(FILES ${PROJECT_BINARY_DIR}/${name}-config.cmake
			${PROJECT_BINARY_DIR}/${name}-config-version.cmake
		DESTINATION ${packages})
	install(FILES ${PROJECT_BINARY_DIR}/${name}.pc
		DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# The main is tools/<NAME>.c; the other files are a library, so that tests can
# link with them.
function(tool name)
	cmake_parse_arguments(PARSE_ARGV 1 T "" "" "USES;FILES;LINKS")
	external(links ${T_LINKS})
	list(REMOVE_ITEM T_FILES ${name}.c)
	list(TRANSFORM T_FILES PREPEND tools/)
	set(parts)
	if(T_FILES)
		set(parts ${name}_parts)
		add_library(${parts} STATIC ${T_FILES})
		target_link_libraries(${parts} PUBLIC ${T_USES}
			PRIVATE ${links})
		set_property(GLOBAL APPEND PROPERTY tools ${parts})
		set_property(GLOBAL PROPERTY files_${parts} ${T_FILES})
	endif()
	if(fuzzing)
		return()
	endif()
	add_executable(${name} tools/${name}.c)
	target_link_libraries(${name} PRIVATE ${parts} ${T_USES} ${links})
	install(TARGETS ${name})
endfunction()

# What is said about the tool <NAME>, made from its table of commands by programs
# that are not installed. tools/man/<x>.scd is <NAME>-<x>(1), with - for each _,
# and tools/man/<NAME>.scd is <NAME>(1). Without scdoc there are no pages.
# tools/<COMPLETION> is what bash reads when somebody completes <NAME>.
function(documents name)
	cmake_parse_arguments(PARSE_ARGV 1 D "" "COMPLETION" "PAGES")
	if(fuzzing)
		return()
	endif()
	foreach(maker IN ITEMS manual completion)
		add_executable(${maker} tools/${maker}.c)
		target_link_libraries(${maker} PRIVATE ${name}_parts)
		set_target_properties(${maker} PROPERTIES
			RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tools)
	endforeach()
	set(source ${PROJECT_SOURCE_DIR}/tools/${D_COMPLETION})
	set(script ${PROJECT_BINARY_DIR}/completions/${name})
	file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/completions
		${PROJECT_BINARY_DIR}/man)
	add_custom_command(OUTPUT ${script}
		COMMAND completion ${source} > ${script}
		DEPENDS completion ${source} VERBATIM)
	add_custom_target(${name}_completion DEPENDS ${script})
	add_dependencies(${name} ${name}_completion)
	install(FILES ${script}
		DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
	if(NOT SCDOC)
		message(STATUS "scdoc is not there: no manual pages")
		return()
	endif()
	set(pages)
	foreach(file IN LISTS D_PAGES)
		set(source ${PROJECT_SOURCE_DIR}/tools/man/${file})
		string(REGEX REPLACE "[.]scd$" "" stem ${file})
		string(REPLACE _ " " command ${stem})
		string(REPLACE _ - page ${PROJECT_BINARY_DIR}/man/${name}-${stem})
		if(stem STREQUAL name)
			set(command "")
			set(page ${PROJECT_BINARY_DIR}/man/${name})
		endif()
		add_custom_command(OUTPUT ${page}.1
			COMMAND manual "${command}" ${source} > ${page}.scd
			COMMAND ${SCDOC} < ${page}.scd > ${page}.1
			DEPENDS manual ${source} VERBATIM)
		list(APPEND pages ${page}.1)
	endforeach()
	add_custom_target(${name}_pages DEPENDS ${pages})
	add_dependencies(${name} ${name}_pages)
	install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endfunction()

function(examples)
	cmake_parse_arguments(PARSE_ARGV 0 E "" "" "LINKS")
	if(fuzzing)
		return()
	endif()
	external(links ${E_LINKS})
	foreach(name IN LISTS E_UNPARSED_ARGUMENTS)
		add_executable(example_${name} examples/${name}.c)
		target_link_libraries(example_${name} PRIVATE libwaybill
			${links})
		set_target_properties(example_${name} PROPERTIES
			OUTPUT_NAME ${name}
			RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
	endforeach()
endfunction()

# Every test sees the tree and the build it belongs to, run by hand or not.
function(test_environment name)
	set_property(TEST ${name} PROPERTY WORKING_DIRECTORY
		${PROJECT_BINARY_DIR})
	set_property(TEST ${name} PROPERTY ENVIRONMENT
		WAYBILL=${PROJECT_BINARY_DIR}/bin/waybill
		WAYBILL_SOURCE_DIR=${PROJECT_SOURCE_DIR}
		WAYBILL_BUILD_DIR=${PROJECT_BINARY_DIR}
		CK_DEFAULT_TIMEOUT=60)
	set_property(TEST ${name} PROPERTY TIMEOUT 600)
endfunction()

function(test_program name links)
	target_compile_definitions(${name} PRIVATE
		WAYBILL_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
		WAYBILL_BUILD_DIR="${PROJECT_BINARY_DIR}")
	target_link_libraries(${name} PRIVATE ${links})
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
		${PROJECT_BINARY_DIR}/tests)
	get_property(protos GLOBAL PROPERTY proto_targets)
	if(protos)
		add_dependencies(${name} ${protos})
	endif()
endfunction()

# tests/test_<x>.c is linked with the module (or the tool's parts) that has
# <x>.c and what that one uses, which proves that the module stands alone; if
# there is no such file, or the test is named under WHOLE, with all of USES.
# Every .c in tests/support is at hand. Under ALLOCATIONS, calls of malloc and
# its like in our own objects go to __wrap_malloc and so on, which the test has;
# under CALLS, system calls to __wrap_pread and so on.
function(tests)
	cmake_parse_arguments(PARSE_ARGV 0 T "" ""
		"USES;LINKS;CONTROLS;WHOLE;ALLOCATIONS;CALLS")
	external(links ${T_LINKS})
	file(GLOB support CONFIGURE_DEPENDS tests/support/*.c
		tests/conformance/*.c)
	file(GLOB sources CONFIGURE_DEPENDS tests/test_*.c)
	get_property(protos GLOBAL PROPERTY proto_targets)
	get_property(tools GLOBAL PROPERTY tools)
	foreach(suffix IN ITEMS "" _controls)
		add_library(support${suffix} STATIC EXCLUDE_FROM_ALL ${support})
		target_compile_definitions(support${suffix} PRIVATE
			$<$<BOOL:${suffix}>:WAYBILL_CONTROLS>)
		if(protos)
			add_dependencies(support${suffix} ${protos})
		endif()
	endforeach()
	if(fuzzing)
		return()
	endif()
	foreach(source IN LISTS sources)
		cmake_path(GET source STEM name)
		set(suffix "")
		if(name IN_LIST T_CONTROLS)
			set(suffix _controls)
			list(REMOVE_ITEM T_CONTROLS ${name})
		endif()
		string(REGEX REPLACE "^test_" "" subject ${name})
		set(uses)
		foreach(part IN LISTS T_USES tools)
			get_property(files GLOBAL PROPERTY files_${part})
			list(TRANSFORM files REPLACE ".*/" "")
			if(${subject}.c IN_LIST files)
				list(APPEND uses ${part})
			endif()
		endforeach()
		if(NOT uses OR name IN_LIST T_WHOLE)
			set(uses ${T_USES})
			list(REMOVE_ITEM T_WHOLE ${name})
		endif()
		list(REVERSE uses)
		list(PREPEND uses support)
		suffixed(uses "${suffix}" ${uses})
		add_executable(${name} ${source})
		target_compile_definitions(${name} PRIVATE
			$<$<BOOL:${suffix}>:WAYBILL_CONTROLS>)
		test_program(${name} "${uses};${links}")
		add_test(NAME ${name} COMMAND ${name})
		test_environment(${name})
		set_property(TEST ${name} PROPERTY LABELS check)
		if(suffix) # a harness is seen to fail in one build
			set_property(TEST ${name} APPEND PROPERTY LABELS once)
		endif()
		if(name IN_LIST T_ALLOCATIONS)
			list(REMOVE_ITEM T_ALLOCATIONS ${name})
			target_link_libraries(${name} PRIVATE
				PkgConfig::crypto)
			foreach(call IN ITEMS malloc calloc realloc
						aligned_alloc mmap)
				target_link_options(${name} PRIVATE
					-Wl,--wrap=${call})
			endforeach()
		endif()
		if(name IN_LIST T_CALLS)
			list(REMOVE_ITEM T_CALLS ${name})
			foreach(call IN ITEMS pread pwrite fdatasync fsync
						ftruncate fallocate fstat open
						openat mkdir mkdirat renameat
						unlinkat flock fcntl
						posix_fadvise fdopendir
						readdir)
				target_link_options(${name} PRIVATE
					-Wl,--wrap=${call})
			endforeach()
		endif()
	endforeach()
	foreach(word IN ITEMS CONTROLS WHOLE ALLOCATIONS CALLS)
		if(T_${word})
			message(FATAL_ERROR
				"${word} ${T_${word}}: no such test")
		endif()
	endforeach()
endfunction()

# tests/<folder>/worker.c, a program that scripts beside it start, is
# tests/<folder>_worker; <folder>_worker_controls has steps to switch off.
function(workers)
	cmake_parse_arguments(PARSE_ARGV 0 W "" "" "USES")
	if(fuzzing)
		return()
	endif()
	foreach(folder IN LISTS W_UNPARSED_ARGUMENTS)
		foreach(suffix IN ITEMS "" _controls)
			suffixed(uses "${suffix}" ${W_USES})
			set(name ${folder}_worker${suffix})
			add_executable(${name} tests/${folder}/worker.c)
			target_compile_definitions(${name} PRIVATE
				$<$<BOOL:${suffix}>:WAYBILL_CONTROLS>)
			test_program(${name} "${uses}")
		endforeach()
	endforeach()
endfunction()

# Scripts print TAP. Those under ONCE look at the tree or make builds of
# their own: one run of them, in the release build, is enough.
function(scripts)
	cmake_parse_arguments(PARSE_ARGV 0 S "" "" "ONCE")
	if(fuzzing)
		return()
	endif()
	foreach(label IN ITEMS tap once)
		set(patterns ${S_UNPARSED_ARGUMENTS})
		if(label STREQUAL once)
			set(patterns ${S_ONCE})
		endif()
		set(found)
		if(patterns)
			file(GLOB found CONFIGURE_DEPENDS ${patterns})
		endif()
		foreach(script IN LISTS found)
			cmake_path(RELATIVE_PATH script BASE_DIRECTORY
				${PROJECT_SOURCE_DIR}/tests OUTPUT_VARIABLE name)
			set(run /usr/bin/python3)
			if(script MATCHES "[.]bats$")
				set(run bats --formatter tap)
			elseif(script MATCHES "[.]sh$")
				set(run sh)
			endif()
			add_test(NAME ${name} COMMAND ${run} ${script})
			test_environment(${name})
			set_property(TEST ${name} PROPERTY LABELS tap)
			if(label STREQUAL once)
				set_property(TEST ${name} APPEND PROPERTY
					LABELS once)
			endif()
		endforeach()
	endforeach()
endfunction()

# In the fuzz preset: fuzz_<x>, a libFuzzer program, and fuzz_<x>_planted, in
# which the sources that know WAYBILL_PLANT_<X> are compiled once more with
# that bug in them (their objects take the place of the archive's). In every
# other build fuzz_<x> replays the corpus as a test.
function(fuzzers)
	cmake_parse_arguments(PARSE_ARGV 0 F "" "" "USES")
	file(GLOB sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
	list(REVERSE F_USES)
	set(links support ${F_USES})
	set(candidates)
	foreach(module IN LISTS F_USES)
		get_property(files GLOBAL PROPERTY files_${module})
		list(APPEND candidates ${files})
	endforeach()
	foreach(source IN LISTS sources)
		cmake_path(GET source STEM name)
		string(REGEX REPLACE "^fuzz_" "" subject ${name})
		if(NOT fuzzing)
			add_executable(${name} ${source}
				tests/fuzz/replay_main.c)
			test_program(${name} "${links}")
			add_test(NAME ${name} COMMAND ${name} ${subject}
				${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${subject})
			test_environment(${name})
			set_property(TEST ${name} PROPERTY LABELS tap)
			continue()
		endif()
		string(TOUPPER WAYBILL_PLANT_${subject} plant)
		set(planted)
		foreach(file IN LISTS candidates)
			file(STRINGS ${file} hit REGEX "${plant}([^A-Z0-9_]|$)"
				LIMIT_COUNT 1)
			if(hit)
				list(APPEND planted ${file})
			endif()
		endforeach()
		if(NOT planted)
			message(FATAL_ERROR "${name}: no source has ${plant}")
		endif()
		add_executable(${name} ${source})
		add_executable(${name}_planted ${source} ${planted})
		target_compile_definitions(${name}_planted PRIVATE ${plant})
		foreach(target IN ITEMS ${name} ${name}_planted)
			test_program(${target} "${links}")
			target_link_options(${target} PRIVATE
				-fsanitize=fuzzer)
		endforeach()
	endforeach()
endfunction()

function(bench name)
	cmake_parse_arguments(PARSE_ARGV 1 B "" "" "FILES;USES;LINKS")
	if(fuzzing)
		return()
	endif()
	external(links ${B_LINKS})
	list(TRANSFORM B_FILES PREPEND bench/)
	add_executable(bench_${name} bench/${name}.c ${B_FILES})
	target_link_libraries(bench_${name} PRIVATE ${B_USES} ${links})
	set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name}
		RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
endfunction()
