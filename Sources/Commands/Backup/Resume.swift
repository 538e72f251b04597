// Going on with a backup that was cut off: what it stored whole is not copied again (repository-format.md section 3.9).

import BackstopCore
import Synchronization

/// An unfinished backup whose files may be used.
struct Resumable: Sendable {
    /// As it was saved last: only files that have a checksum were stored.
    let manifest: Manifest

    var label: BackupLabel { manifest.label }

    /// Why the new backup cannot go on with it; nil: it can. `base`, `coding`: what the new one is made onto, and how it is written. `listed`:
    /// labels of complete backups, after which its own has to come.
    static func objection(
        to manifest: Manifest, _ base: BackupBase, _ coding: ObjectCoding, _ info: BackupInfo, isOnline: Bool,
        listed: [BackupLabel]
    ) -> String? {
        if manifest.format != info.format {
            return "new repository format \(info.format) does not match resumable repository format \(manifest.format)"
        }
        if manifest.type != base.type { return "its type is \(manifest.type.rawValue)" }
        if manifest.prior != base.prior?.label {
            return "it is made onto \(manifest.prior?.text ?? "nothing"), this one onto \(base.prior?.label.text ?? "nothing")"
        }
        if manifest.database.systemID != 0, manifest.database.identity != info.history.current.identity {
            return "it is of another cluster"
        }
        if manifest.settings.compressType != coding.codec.name {
            return "its compress-type is \(manifest.settings.compressType), that of this one \(coding.codec.name)"
        }
        if (manifest.seal == nil) != (coding.seal == nil) { return "one of them is encrypted, the other is not" }
        if manifest.settings.online != isOnline { return "one of them is online, the other is not" }
        let rivals = base.type == .full ? listed : listed.filter { $0.full == manifest.label.full }
        if let later = rivals.max(), later >= manifest.label { return "backup \(later) was made after it" }
        if !manifest.files.contains(where: \.isOwn) { return "it had stored nothing" }
        return nil
    }

    /// The newest unfinished backup, when the new one can go on with it. `candidates`: labels of folders that nobody works on any more. Throws
    /// when the repository does not answer: nothing may be removed for that.
    static func find(
        _ candidates: [BackupLabel], in repository: StanzaRepository, _ seal: Seal?, objection: (Manifest) -> String?
    ) async throws(BackupError) -> Resumable? {
        guard let label = candidates.max() else { return nil }
        let manifest: Manifest
        do throws(BackupError) {
            manifest = try await repository.manifest(label, seal)
        } catch  where error.code.isDamage || [.fileMissing, .notFound, .denied, .assertion].contains(error.code) {
            repository.log.info("backup '\(label)' cannot be resumed: \(error.message)")
            return nil
        }
        if let objection = objection(manifest) {
            repository.log.info("backup '\(label)' cannot be resumed: \(objection)")
            return nil
        }
        repository.log.warn("resumable backup \(label) of same type exists -- remove invalid files and resume")
        return Resumable(manifest: manifest)
    }

    /// pgBackRest does not say of which cluster an unfinished backup is: its files are compared with those of this one.
    var isOfUnknownCluster: Bool { manifest.database.systemID == 0 }

    /// What the new backup may take over: files that the unfinished one stored itself, each as an object of its own. One that was listed with a
    /// later time than copying began with may have changed after it was copied without another time to show for it.
    var files: [StoredFile] {
        manifest.files.filter { $0.isOwn && $0.bundle == nil && $0.timestamp < manifest.timestampCopyStart }
    }

    /// Removes what the new backup has no use for. `kept`: files that it looks at. Only whole objects stay, so this may be cut off too.
    func removeOthers(_ kept: some Sequence<StoredFile>, suffix: String, in repository: StanzaRepository) async throws(BackupError) {
        let layout = repository.layout
        var keys = Set(kept.map { layout.backup(label) / ($0.name.text + ($0.blockMapSize == nil ? suffix : Layout.blockSuffix)) })
        keys.insert(layout.manifest(label) + Layout.copySuffix)
        var others: [Key] = []
        try await repository.storage.list(layout.backup(label), .all) { (entry) throws(BackupError) in
            if entry.kind != .folder, !keys.contains(entry.key) { others.append(entry.key) }
        }
        do throws(BackupError) {
            try await repository.storage.remove(others)
        } catch  where error.code == .denied {
            // Who may only add shall be able to do that; what is left takes room, and no manifest names it.
            repository.log.warn("unable to remove what backup \(label) has no use for: \(error)")
        }
    }
}

extension StoredFile {
    /// It was stored by the backup of its manifest, and has content.
    fileprivate var isOwn: Bool { size > 0 && checksum != nil && reference == nil }
}

/// Saves the manifest while files are copied, so that a later run can go on from there.
final class BackupCheckpoint: Sendable {
    private struct State {
        /// Bytes that were copied since the last time.
        var bytes: UInt64 = 0
        var isSaving = false
    }

    private let every: UInt64
    private let state = Mutex(State())
    private let save: @Sendable ([StoredFile]) async throws(BackupError) -> Void

    /// `every`: bytes of the cluster.
    init(every: UInt64, _ save: @escaping @Sendable ([StoredFile]) async throws(BackupError) -> Void) {
        (self.every, self.save) = (every, save)
    }

    /// `files`: all that were stored so far, asked for only when it is time.
    func note(_ bytes: UInt64, _ files: () -> [StoredFile]) async throws(BackupError) {
        let isDue = state.withLock { state in
            state.bytes += bytes
            guard state.bytes >= every, !state.isSaving else { return false }
            (state.bytes, state.isSaving) = (0, true)
            return true
        }
        guard isDue else { return }
        defer { state.withLock { $0.isSaving = false } }
        try await save(files())
    }
}
