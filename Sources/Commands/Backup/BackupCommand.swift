// backup: a copy of a cluster into one repository, of all of it or of what changed (repository-format.md sections 1.3, 3 and 4).

import BackstopCore

struct BackupCommand {
    private let context: RunContext
    private let repository: StanzaRepository
    private let policy: BackupPolicy

    static func run(_ context: RunContext) async throws(BackupError) {
        let index = context.repositories[0]
        let repository = try await StanzaRepository.open(index, context)
        let command = BackupCommand(
            context: context, repository: repository, policy: try BackupPolicy(context.options, repository: index))
        // Before anything is written, and before a stanza that does not exist gets a folder.
        let backupInfo = try await repository.backupInfo()
        try repository.requireWritten(try await repository.archiveInfo(), backupInfo)
        let lease = try await RepositoryLease.take(repository, context)
        do throws(BackupError) {
            try await command.run(lease)
        } catch {
            await lease.release(leaving: true)
            throw error
        }
        await lease.release(leaving: false)
    }

    private func run(_ lease: RepositoryLease) async throws(BackupError) {
        var info = try await repository.backupInfo()
        let archiveInfo = try await repository.archiveInfo()
        try repository.requireWritten(archiveInfo, info)
        let (cluster, session, available) = try await openCluster()
        var control = try await readControl(cluster)
        try require(control, isOf: info)
        try await PlacesOfThisHost.check(cluster, control, context)
        if session?.isStandby != true { try session?.checkSettings(context) }
        let listed = Set(info.backups.map(\.label))
        let repair = try await ListRepair.run(&info, in: repository)
        let asked = context.options[GeneralOptions.type].flatMap(BackupType.init) ?? .incr
        var base = try await BackupBase.choose(asked, info, repository)
        var coding = try base.coding(context.options, repository.registry, repository.seal?.renewed()) { context.log.warn($0) }
        let resumable = try await settleLeftovers(lease, besides: listed, base, coding, info)
        // Its files are sealed by its own passphrase.
        if let resumable { coding = coding.sealed(by: resumable.manifest.seal) }

        let start = try session?.now() ?? unixNow()
        let label: BackupLabel
        if let resumable {
            label = resumable.label
        } else {
            label = try await BackupLabel.make(
                base.type, prior: base.prior?.label, start: start, others: try await repository.usedLabels())
        }
        try await lease.name(label)
        let check = session?.archiveCheck(repository, archiveInfo, cluster, context)
        let begun = try await session?.start(archiveCheck: check, cluster, policy, context.log)
        if begun != nil { control = try await readControl(cluster) }
        let standby = try await catchUp(available, session, control, begun)
        var (manifest, plan, listing, clock) = try await plan(
            label, onto: base, resumable, coding, cluster, session, standby, control, info, start: start, timeline: begun?.segment.timeline)
        manifest.timestampStart = start
        manifest.archiveStart = begun?.segment.name
        manifest.lsnStart = begun?.place.description
        context.log.detail("the backup gets the label \(label)")

        let resumed = plan.resumed
        try await resumable?.removeOthers(resumed.values, suffix: coding.codec.suffix, in: repository)
        if policy.hardlinks || (label.type == .full && !manifest.isBundled) {
            try await repository.makeFolders(of: label, manifest.places, withLinks: policy.makesLinks)
        }
        // From here on the plan has all that is wanted of the prior backup.
        base.forgetFiles()
        try await saveUnfinished(manifest, listing, resumed, info.seal)
        listing.files = []
        let run = BackupRun(
            repository: repository, label: label, references: manifest.references, coding: coding, cluster: cluster,
            standby: standby?.cluster, control: control, policy: policy, bundleFraming: manifest.isBundledRaw ? .raw : .normal,
            lease: lease,
            watches: [session, standby?.session].compactMap { $0?.connection.watch }, clock: clock,
            meter: ProgressMeter("backup", size: plan.totalSize, context), log: context.log)
        let kept = plan.takeKept()
        manifest.files = try await run.run(plan, addingTo: kept, checkpoint(of: manifest, plan, info.seal))
        if let last = plan.last, let control = try await run.copyLast(last) { manifest.take([control]) }
        run.meter.end()
        try manifest.checkCopied()
        if policy.hardlinks { try await repository.linkReferences(of: manifest, suffix: coding.codec.suffix) }

        let end = BackupEnd(run: run, archiveInfo: archiveInfo, seal: info.seal)
        if let session, let begun {
            try await end.finish(session, standby?.session, begun, check, &manifest)
        } else {
            manifest.timestampStop = max(unixNow(), start)
            try await run.settlePages(&manifest)
            try await end.prove(manifest)
        }
        try await repository.storage.sync(repository.layout.backup(label))
        try await BackupPublication(repository: repository, lease: lease, retry: policy.retry).run(
            manifest, info, repair, archiveInfo, makesLatest: policy.makesLinks)
        report(manifest, run)
    }

    // MARK: Before

    /// The cluster that is listed, the session in which the backup begins and ends, and a standby that files may be copied from.
    private func openCluster() async throws(BackupError) -> (ClusterFiles, OnlineSession?, standby: ClusterServer?) {
        if policy.isOnline {
            let servers = try BackupServers.find(context, policy.standby, locks: context.hostLocks)
            let main = servers.main
            if main.session.isStandby {
                context.log.warn("no primary answers: standby \(main.cluster.name) is backed up alone, by checksums")
            }
            return (main.cluster, main.session, servers.standby)
        }
        let cluster = try ClusterFiles(context, 1, locks: context.hostLocks)
        guard try await cluster.isRunning() else { return (cluster, nil, nil) }
        guard context.options[GeneralOptions.force] else {
            throw BackupError(
                .pgRunning,
                "--no-online passed but 'postmaster.pid' exists - looks like PostgreSQL is running. Shut down PostgreSQL and try again, or use --force."
            )
        }
        context.log.warn(
            "--no-online passed and 'postmaster.pid' exists but --force was passed so backup will continue though it looks like PostgreSQL is running and the backup will probably not be consistent"
        )
        return (cluster, nil, nil)
    }

    /// The standby, once files may be copied from it; nil when there is none, or it does not keep up and need not.
    private func catchUp(
        _ standby: ClusterServer?, _ session: OnlineSession?, _ control: ControlFile, _ begun: BackupStart?
    ) async throws(BackupError) -> ClusterServer? {
        guard let standby, let session, let begun else { return nil }
        do throws(BackupError) {
            try await standby.catchUp(with: session, control, begun, within: policy.archiveTimeout, context.log)
        } catch  where policy.standby == .preferred && error.code != .cancelled {
            context.log.warn("everything is copied from the primary: \(error)")
            return nil
        }
        return standby
    }

    private func readControl(_ cluster: ClusterFiles) async throws(BackupError) -> ControlFile {
        try await policy.retry.step("pg_control", context.log) { () throws(BackupError) in try await cluster.control() }
    }

    private func require(_ control: ControlFile, isOf info: BackupInfo) throws(BackupError) {
        let current = info.history.current
        guard current.identity == control.identity else {
            throw BackupError(
                .backupMismatch,
                "PostgreSQL version \(control.version), system-id \(control.systemID) do not match stanza version \(current.version), system-id \(current.systemID)",
                hint: ClusterFiles.otherClusterHint)
        }
    }

    /// Lists the cluster and decides what is copied, and how.
    private func plan(
        _ label: BackupLabel, onto base: BackupBase, _ resumable: Resumable?, _ coding: ObjectCoding, _ cluster: ClusterFiles,
        _ session: OnlineSession?, _ standby: ClusterServer?,
        _ control: ControlFile, _ info: BackupInfo, start: Int64, timeline: UInt32?
    ) async throws(BackupError) -> (Manifest, BackupPlan, ClusterListing, CopyClock) {
        let listing = try await ClusterListing.make(cluster, session, control, context)
        let listed = try session?.now() ?? unixNow()
        let clock = CopyClock(listed, begun: start)
        var hasPageChecksums = control.hasPageChecksums
        if hasPageChecksums, let standby { hasPageChecksums = try await readControl(standby.cluster).hasPageChecksums }
        let plan = BackupPlan(
            listing, onto: base, policy, control.version, hasPageChecksums: hasPageChecksums, listed: listed,
            start: start, timeline: timeline, resumed: resumable?.files ?? [],
            comparesResumed: resumable?.isOfUnknownCluster ?? false, ofStandby: session?.isStandby == true)
        for warning in plan.warnings { context.log.warn(warning) }
        guard !plan.jobs.isEmpty else {
            throw BackupError(
                .fileMissing, "no files have changed since the last backup - this seems unlikely",
                hint: "a stopped cluster stays as it is: its last backup, \(base.prior?.label.text ?? ""), has all of it.")
        }
        var database = info.history.current
        database.catalogVersion = UInt64(control.catalogVersion)
        database.controlVersion = UInt64(control.controlVersion)
        var manifest = Manifest(label, of: database)
        manifest.format = info.format
        manifest.type = base.type
        manifest.prior = base.prior?.label
        manifest.references = (base.prior?.references ?? []) + [label]
        manifest.isBundled = policy.bundling != nil
        manifest.isBundledRaw = base.prior.map(\.isBundledRaw) ?? (policy.blocks != nil)
        manifest.isBlockIncremental = policy.blocks != nil
        manifest.annotations = policy.annotations
        manifest.seal = coding.seal
        manifest.settings = policy.settings(
            coding, checksPages: plan.checksPages, delta: plan.isDelta, standby: standby != nil || session?.isStandby == true)
        manifest.timestampCopyStart = session == nil ? listed : listed + 1
        manifest.places = listing.places
        manifest.databases = listing.databases
        return (manifest, plan, listing, clock)
    }

    /// What the backup is going to have, so that whoever finds its folder knows what it is.
    private func saveUnfinished(
        _ manifest: Manifest, _ listing: ClusterListing, _ resumed: [ManifestName: StoredFile], _ seal: Seal?
    ) async throws(BackupError) {
        var unfinished = manifest
        unfinished.files = listing.files.map {
            resumed[$0.name] ?? StoredFile($0.name, size: $0.size, timestamp: $0.modified, $0.attributes)
        }
        try await policy.retry.step("the manifest of \(repository.name)", context.log) { () throws(BackupError) in
            try await repository.saveUnfinished(unfinished, seal)
        }
    }

    /// Removes what was left behind, but for what the new backup can go on with.
    private func settleLeftovers(
        _ lease: RepositoryLease, besides listed: Set<BackupLabel>, _ base: BackupBase, _ coding: ObjectCoding, _ info: BackupInfo
    ) async throws(BackupError) -> Resumable? {
        let leftovers = Leftovers(repository: repository, lease: lease)
        let complete = info.backups.map(\.label)
        let labels = try await leftovers.find(besides: listed.union(complete), now: lease.taken)
        let resumable =
            policy.resumes
            ? try await Resumable.find(labels, in: repository, info.seal) {
                Resumable.objection(
                    to: $0, base, coding, info, isOnline: policy.isOnline, listed: complete)
            } : nil
        try await leftovers.remove(labels.filter { $0 != resumable?.label })
        return resumable
    }

    /// `manifest`: without files.
    private func checkpoint(of manifest: Manifest, _ plan: BackupPlan, _ seal: Seal?) -> BackupCheckpoint {
        BackupCheckpoint(every: policy.resumes ? max(policy.saveThreshold, plan.totalSize / 100) : .max) {
            [repository, policy, log = context.log] (files) throws(BackupError) in
            var unfinished = manifest
            unfinished.files = files
            unfinished.sort()
            let saved = unfinished
            // What is said to be stored has to be there after a power failure.
            try await repository.storage.sync(repository.layout.backup(manifest.label))
            try await policy.retry.step("the manifest of \(repository.name)", log) { () throws(BackupError) in
                try await repository.saveUnfinished(saved, seal)
            }
        }
    }

    // MARK: After

    private func report(_ manifest: Manifest, _ run: BackupRun) {
        let own = manifest.files.lazy.filter { $0.reference == nil }
        let (type, size) = (manifest.type.rawValue, roundedSize(own.reduce(0) { $0 + $1.size }))
        context.log.info("new backup label = \(manifest.label)")
        context.log.info("\(type) backup size = \(size), file total = \(manifest.files.count)")
        let stored = own.reduce(0) { $0 + $1.repositorySize }
        let bad = manifest.badFileCount
        if bad > 0 { context.log.warn("backup command encountered \(bad) checksum warning(s), check the log file for details") }
        run.meter.succeed("\(type) backup \(manifest.label): \(size), \(roundedSize(stored)) stored")
        if context.options.isGiven(CodecOptions.cipherRotate, repository.index) {
            context.log.warn("option '\(CodecOptions.cipherRotate.spec.fullName(repository.index))' requires repository format 6 or higher")
        }
        guard context.options[BackupOptions.expireAuto] || !context.options.isGiven(BackupOptions.expireAuto) else { return }
        for key in [RetentionOptions.full, RetentionOptions.diff, RetentionOptions.archive, RetentionOptions.history]
        where context.options.isGiven(key, repository.index) {
            context.log.warn("not supported yet: expire; \(key.spec.fullName(repository.index)) has no effect and backups are kept")
            return
        }
    }
}

extension BackupCommand {
    static let command = Command(
        CommandSpec(
            "backup", "Backup and restore", "back up a cluster",
            """
            Copies the cluster into one repository, by default the first, while the server runs. The WAL that the backup needs \
            has to be archived as well: 'check' tells whether it is. Schedule it with cron or a timer.
            """
        ) {
            $0.hasLogFile = true
        },
        locks: [.backup], repositories: .first, respectsStop: true, run: run)
}
