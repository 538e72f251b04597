// Whether what was found in pages counts: only where the pages carried checksums from the begin of a backup to its end.

import BackstopCore

extension BackupRun {
    /// Whether pages carry checksums at this moment, of every cluster that is copied from: those of a primary and of its standby are switched
    /// one by one.
    func hasPageChecksums() async throws(BackupError) -> Bool {
        for source in [cluster, standby].compactMap(\.self) {
            let control = try await policy.retry.step("pg_control", log) { () throws(BackupError) in try await source.control() }
            guard control.hasPageChecksums else { return false }
        }
        return true
    }

    /// At the end of a backup that checked pages.
    func settlePages(_ manifest: inout Manifest) async throws(BackupError) {
        guard manifest.settings.checksumPage, try await !hasPageChecksums() else { return }
        manifest.dropPageFindings()
        log.warn(
            "page checksums were switched off while the cluster was backed up: the backup counts as one without page checks, and what was said of"
                + " bad pages does not count\nHINT: pages are checked again by a full backup that begins after checksums were switched on.")
    }
}

extension Manifest {
    /// Takes back what this backup found in pages, good or bad. What an earlier one found in a file that it still holds stays.
    mutating func dropPageFindings() {
        settings.checksumPage = false
        for index in files.indices where files[index].reference == nil {
            files[index].pagesValid = nil
            if !files[index].pageErrors.isEmpty { files[index].pageErrors = [] }
        }
    }

    /// Files that this backup stored although pages of them are bad.
    var badFileCount: Int { files.count { $0.reference == nil && $0.pagesValid == false } }
}
