//! Units of work on both engines: all or nothing, grouped, raced, repeated, timed out.

#[cfg(test)]
mod units {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use kernel::{Actor, Caller, Db, Kind, PermissionSet, Problem, RequestContext, SYSTEM_TENANT, Tx};
    use sea_orm::{ConnectionTrait, FromQueryResult};
    use testkit::{Engine, on_both_engines};
    use tokio::task::JoinSet;

    #[derive(FromQueryResult)]
    struct Count {
        count: i64,
    }

    const INSERT: &str = "INSERT INTO kernel_fact (name, value) VALUES ($1, $2)";

    fn caller() -> Caller {
        Caller::system("test", SYSTEM_TENANT)
    }

    /// A caller with an idempotency key, as a client would send it.
    fn repeating(key: &str) -> Caller {
        let mut request = RequestContext::new("request", Duration::from_secs(20));
        request.idempotency_key = Some(key.into());
        Caller::new(Actor::Anonymous, SYSTEM_TENANT, PermissionSet::default(), request)
    }

    async fn put(tx: &Tx, name: &str) -> Result<(), Problem> {
        tx.execute(INSERT, [name.into(), b"x".to_vec().into()]).await?;
        Ok(())
    }

    async fn count(db: &Db) -> i64 {
        let sql = "SELECT COUNT(*) AS count FROM kernel_fact";
        let found: Result<Option<Count>, Problem> = db.read(&caller(), async |tx| Ok(tx.one(sql, []).await?)).await;
        found.unwrap().unwrap().count
    }

    async fn a_failed_unit_leaves_nothing_and_its_neighbours_alone(engine: Engine) {
        let db = Arc::new(testkit::db(engine).await);
        let mut units = JoinSet::new();
        for number in 0..64 {
            let db = Arc::clone(&db);
            units.spawn(async move {
                let work = async |tx: &Tx| {
                    put(tx, &format!("unit {number}")).await?;
                    if number % 4 == 0 { Err(Problem::not_found()) } else { Ok(()) }
                };
                db.write(&caller(), work).await
            });
        }
        let outcomes = units.join_all().await;

        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 48);
        assert_eq!(count(&db).await, 48);
    }

    async fn a_unit_whose_author_leaves_is_rolled_back_and_the_next_one_goes_on(engine: Engine) {
        let db = testkit::db(engine).await;

        let author = caller();
        let left = db.write(&author, async |tx| {
            put(tx, "left").await?;
            std::future::pending::<()>().await;
            Ok::<_, Problem>(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(200), left).await.is_err());
        db.write(&caller(), async |tx| put(tx, "stayed").await).await.unwrap();

        assert_eq!(count(&db).await, 1);
    }

    async fn hooks_run_after_a_commit_and_never_after_a_rollback(engine: Engine) {
        let db = testkit::db(engine).await;
        let rung = Arc::new(AtomicUsize::new(0));

        for keep in [true, false] {
            let outcome = db
                .write(&caller(), async |tx| {
                    let rung = Arc::clone(&rung);
                    tx.on_commit(move || {
                        rung.fetch_add(1, Ordering::SeqCst);
                    });
                    if keep { Ok(()) } else { Err(Problem::not_found()) }
                })
                .await;
            assert_eq!(outcome.is_ok(), keep);
        }

        assert_eq!(rung.load(Ordering::SeqCst), 1);
    }

    async fn a_deadline_ends_a_unit_with_a_timeout(engine: Engine) {
        let db = testkit::db(engine).await;
        let request = RequestContext::new("request", Duration::from_millis(100));
        let hurried = Caller::new(Actor::Anonymous, SYSTEM_TENANT, PermissionSet::default(), request);

        let outcome: Result<(), Problem> = db
            .write(&hurried, async |tx| {
                put(tx, "late").await?;
                std::future::pending::<()>().await;
                Ok(())
            })
            .await;

        assert_eq!(outcome.unwrap_err().kind, Kind::Timeout);
        assert_eq!(count(&db).await, 0);
    }

    async fn sixty_four_twins_with_one_key_have_one_effect_and_one_answer(engine: Engine) {
        let db = Arc::new(testkit::db(engine).await);
        let mut twins = JoinSet::new();
        for number in 0..64 {
            let db = Arc::clone(&db);
            twins.spawn(async move {
                let caller = repeating("key");
                let work = async |tx: &Tx| {
                    put(tx, &format!("twin {number}")).await?;
                    Ok::<_, Problem>(number)
                };
                let outcome = db.write_once(&caller, "test.put", &"same", work).await;
                (outcome, caller.request.replayed())
            });
        }
        let outcomes = twins.join_all().await;

        let answers: Vec<i32> = outcomes.iter().filter_map(|(outcome, _)| outcome.as_ref().ok().copied()).collect();
        assert_eq!(answers.len(), 64, "{:?}", outcomes.iter().find(|(outcome, _)| outcome.is_err()));
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(outcomes.iter().filter(|(_, replayed)| !replayed).count(), 1);
        assert_eq!(count(&db).await, 1);
    }

    async fn the_same_key_with_other_content_is_refused(engine: Engine) {
        let db = testkit::db(engine).await;
        let work = async |tx: &Tx| put(tx, "once").await;

        db.write_once(&repeating("key"), "test.put", &"one", work).await.unwrap();
        let refused = db.write_once(&repeating("key"), "test.put", &"other", work).await.unwrap_err();

        assert_eq!((refused.kind, refused.code.as_ref()), (Kind::Mismatch, "kernel.idempotency_mismatch"));
        assert_eq!(count(&db).await, 1);
    }

    async fn a_failed_effect_frees_its_key(engine: Engine) {
        let db = testkit::db(engine).await;
        let failing = async |_: &Tx| Err::<(), _>(Problem::not_found());

        db.write_once(&repeating("key"), "test.put", &"one", failing).await.unwrap_err();
        db.write_once(&repeating("key"), "test.put", &"one", async |tx| put(tx, "now").await).await.unwrap();

        assert_eq!(count(&db).await, 1);
    }

    async fn a_reader_can_not_write(engine: Engine) {
        let db = testkit::db(engine).await;

        let refused = db.read(&caller(), async |tx| put(tx, "sneaked").await).await;

        assert!(refused.is_err());
        assert_eq!(count(&db).await, 0);
    }

    async fn another_root_key_is_refused(engine: Engine) {
        let db = testkit::db(engine).await;
        db.verify_root_key().await.unwrap();
        db.verify_root_key().await.unwrap();

        let sql = "UPDATE kernel_fact SET value = $1 WHERE name = 'root_key_check'";
        db.write(&caller(), async |tx| Ok::<_, Problem>(tx.execute(sql, [vec![0u8; 32].into()]).await?)).await.unwrap();

        assert_eq!(db.verify_root_key().await.unwrap_err().code, "kernel.root_key_differs");
    }

    async fn what_is_open_to_one_tenant_is_closed_to_another(engine: Engine) {
        let db = testkit::db(engine).await;
        db.write_once(&repeating("key"), "test.put", &"one", async |tx| put(tx, "x").await).await.unwrap();
        let other = Caller::system("test", db.random().id(db.clock().now()));
        let sql = "SELECT COUNT(*) AS count FROM kernel_idempotency";

        let seen: Result<Option<Count>, Problem> = db.read(&other, async |tx| Ok(tx.one(sql, []).await?)).await;

        // On SQLite the typed scope of each query is the wall; on PostgreSQL row-level security is a second one.
        let behind_the_second_wall = i64::from(engine == Engine::Sqlite);
        assert_eq!(seen.unwrap().unwrap().count, behind_the_second_wall);
    }

    async fn raw_statements_report_faults_of_the_database(engine: Engine) {
        let db = testkit::db(engine).await;

        let outcome: Result<(), Problem> = db
            .write(&caller(), async |tx| {
                tx.conn().execute_unprepared("SELECT no_such_column FROM kernel_fact").await?;
                Ok(())
            })
            .await;

        assert_eq!(outcome.unwrap_err().kind, Kind::Internal);
    }

    async fn readers_that_leave_or_fail_take_no_connection_with_them(engine: Engine) {
        let db = Arc::new(testkit::db(engine).await);
        let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
                    SELECT COUNT(*) AS count FROM n";
        let mut readers = JoinSet::new();
        for number in 0..64 {
            let db = Arc::clone(&db);
            readers.spawn(async move {
                let sql = if number % 2 == 0 { slow } else { "SELECT no_such_column AS count FROM kernel_fact" };
                let caller = caller();
                let read = db.read(&caller, async |tx| Ok::<_, Problem>(tx.one::<Count>(sql, []).await?));
                drop(tokio::time::timeout(Duration::from_millis(2), read).await);
            });
        }
        readers.join_all().await;

        assert_eq!(count(&db).await, 0);
        if engine == Engine::Sqlite {
            let figures = db.figures();
            assert!(figures.busy == 0 && (1..=figures.most).contains(&figures.idle), "{figures:?}");
        }
    }

    async fn authors_that_leave_in_a_statement_s_midst_take_nothing_of_their_neighbours_along(engine: Engine) {
        let db = Arc::new(testkit::db(engine).await);
        let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) \
                    SELECT COUNT(*) AS count FROM n";
        let mut units = JoinSet::new();
        for number in 0..48 {
            let db = Arc::clone(&db);
            units.spawn(async move {
                let author = caller();
                let unit = db.write(&author, async |tx| {
                    put(tx, &format!("unit {number}")).await?;
                    if number % 3 == 0 {
                        tx.one::<Count>(slow, []).await?;
                        std::future::pending::<()>().await;
                    }
                    Ok::<_, Problem>(())
                });
                if number % 3 == 0 {
                    tokio::time::timeout(Duration::from_millis(5), unit).await.is_err()
                } else {
                    unit.await.is_ok()
                }
            });
        }

        assert!(units.join_all().await.into_iter().all(|as_meant| as_meant));
        assert_eq!(count(&db).await, 32);
    }

    /// SQLite ends a transaction by itself when the disk is full, for example.
    #[tokio::test]
    async fn a_transaction_that_ended_by_itself_is_no_success_for_anybody_in_it() {
        let db = Arc::new(testkit::db(Engine::Sqlite).await);
        let hooks = Arc::new(AtomicUsize::new(0));
        let mut units = JoinSet::new();
        for number in 0..8 {
            let (db, hooks) = (Arc::clone(&db), Arc::clone(&hooks));
            units.spawn(async move {
                let author = caller();
                let unit = db.write(&author, async |tx| {
                    let hooks = Arc::clone(&hooks);
                    tx.on_commit(move || {
                        hooks.fetch_add(1, Ordering::SeqCst);
                    });
                    put(tx, &format!("unit {number}")).await?;
                    if number == 4 {
                        tx.conn().execute_unprepared("ROLLBACK").await?;
                    }
                    Ok::<_, Problem>(())
                });
                (number, unit.await)
            });
        }
        let outcomes = units.join_all().await;

        let kept = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
        assert!(outcomes.iter().any(|(number, outcome)| *number == 4 && outcome.is_err()), "{outcomes:?}");
        assert_eq!((count(&db).await, hooks.load(Ordering::SeqCst)), (i64::try_from(kept).unwrap(), kept));
        db.write(&caller(), async |tx| put(tx, "after").await).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_closed_takes_no_more_units_and_keeps_what_it_had() {
        let db = testkit::db(Engine::Sqlite).await;
        db.write(&caller(), async |tx| put(tx, "before").await).await.unwrap();

        db.close().await;
        let after = db.write(&caller(), async |tx| put(tx, "after").await).await;

        assert_eq!(after.unwrap_err().code, "kernel.database_away");
    }

    on_both_engines!(
        authors_that_leave_in_a_statement_s_midst_take_nothing_of_their_neighbours_along,
        readers_that_leave_or_fail_take_no_connection_with_them,
        a_failed_unit_leaves_nothing_and_its_neighbours_alone,
        a_unit_whose_author_leaves_is_rolled_back_and_the_next_one_goes_on,
        hooks_run_after_a_commit_and_never_after_a_rollback,
        a_deadline_ends_a_unit_with_a_timeout,
        sixty_four_twins_with_one_key_have_one_effect_and_one_answer,
        the_same_key_with_other_content_is_refused,
        a_failed_effect_frees_its_key,
        a_reader_can_not_write,
        another_root_key_is_refused,
        what_is_open_to_one_tenant_is_closed_to_another,
        raw_statements_report_faults_of_the_database
    );
}
