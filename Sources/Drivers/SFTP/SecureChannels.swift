// How channels to one host are opened: which of its keys is asked for.

internal import BackstopCore
internal import Synchronization

final class SecureChannels: Sendable {
    private let log: Log
    /// With a fingerprint: the type of the key that it is of, once that is known.
    private let found = Mutex<String?>(nil)

    init(_ log: Log) { self.log = log }

    func open(_ settings: SFTPSettings) throws(BackupError) -> SecureChannel {
        let judge = HostKey(settings: settings, log: log)
        do throws(BackupError) {
            return try SecureChannel(settings, judge, preference: found.withLock { $0 } ?? judge.preference())
        } catch  where error.cause is HostKey.DifferentFingerprint {
            return try open(settings, judge, lookingForOthersThan: error)
        }
    }

    /// A host has a key of each type and shows the one that is preferred. The fingerprint may be that of another one.
    private func open(
        _ settings: SFTPSettings, _ judge: HostKey, lookingForOthersThan first: BackupError
    ) throws(BackupError) -> SecureChannel {
        for types in ["ssh-ed25519", "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521", "rsa-sha2-512,rsa-sha2-256,ssh-rsa"] {
            do throws(BackupError) {
                let channel = try SecureChannel(settings, judge, preference: types)
                found.withLock { $0 = types }
                return channel
            } catch  where error.cause is HostKey.DifferentFingerprint || error.code == .protocol {
            }
        }
        var refusal = first
        refusal.cause = nil
        throw refusal
    }
}
