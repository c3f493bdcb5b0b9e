"""Which fault is held by which test. `python -m bench.faults` runs all of them three times and counts;
`python -m bench.torture` does many at once to real trainings.

| fault | held by |
|---|---|
| kill -9 of child, worker, app | test_kills: kill_9_of_the_child, kill_9_of_the_worker, outlives_its_app |
| kill -9 of the worker's parent alone | test_kills: a_training_outlives_its_app (a session of its own) |
| SIGTERM with 10 s of grace | test_pressure: a_machine_that_is_shut_down; test_kills: a_worker_told_to_end |
| SIGSTOP of child, worker, all (lid closed) | test_kills: frozen_child, lid_closed (90 s with MEDML_EVERY_CALL);
| | test_pressure: sleeps_alone |
| memory limit in a child | test_pressure: reaches_its_limit_of_memory |
| two workers, two apps on one home | test_kills: two_workers, two_apps |
| several machines on one queue | test_machines |
| clock set back, summer time | test_clock |
| database locked | test_pressure: a_database_that_is_locked (20 s with MEDML_EVERY_CALL) |
| disk full: submit | test_disk: a_job_that_cannot_be_kept |
| disk full: checkpoint, progress, log | test_disk: a_job_under_way; test_pressure: silences_the_log |
| disk full: publish | test_pressure: a_full_disk_at_publishing; test_nth_call (ENOSPC) |
| under 2 GB free | test_storage: with_little_room |
| open, replace, fsync, SQLite fail at the Nth call | test_nth_call, 35 ways of writing |
| medml.db cut off, a byte flipped, no database, gone | test_storage: damaged_database, any_one_byte, begun_anew |
| the same under a worker at work | test_storage: a_worker_that_meets_damage |
| nightly copy | test_storage: a_copy_is_made_once_a_night |
| -wal, -shm deleted | test_storage: a_log_that_is_deleted |
| queue.db damaged | test_storage: a_worker_mends_what_it_finds |
| home on a network drive | test_storage: a_home_on_a_network_drive, a_share_that_windows_calls_remote |
| older home, newer home | test_upgrade |
| weights gone, one byte flipped | test_models: weights_that_are_gone_or_changed |
| run deleted while another predicts with it | test_models: deleted_while, deleted_once_it_is_loaded |
| folder unmounted, stop at each stage | test_stops; bench.stops prints the seconds |
| stop or pause while a training is judged or saved | test_stops: much_is_left_to_judge |
| killed between publishing a run and saying so | test_stops: killed_between_publishing |
| memory that another program ran out of | tests/test_mishaps.py: another_program |
| the list of jobs lost | tests/test_worker.py: unfinished_work |
| a pid used again after a reboot | tests/test_worker.py: group_whose_leader |
| file changed before the start, or while it is read | tests/test_train.py: changed_since_the_scan; test_stops |
| file vanishing mid-scan | test_reading: vanishes_while, vanishes_between |
| pipes, sockets, devices, links in a loop and out | test_reading: devices; tests/test_data_walk.py |
| no permission | test_reading: what_may_not_be_read |
| 100,000 files, 120 levels, 255-byte and non-UTF-8 names | test_reading |
| a 10 GB sparse CSV | test_reading: a_sparse_table_of_10_gb |
| a slow drive | test_reading: a_folder_that_does_not_answer, a_dead_drive, no_page_reads_the_clinicians_folder |
| double click, reload | tests/test_worker.py: a_double_click_is_one_job; tests/test_store.py: two_clicks |
| page closed at the moment of a click | test_page_left |
| exports with formulas | test_formulas |
| all at once, on real trainings | test_torture; bench.torture |
"""
