// What is registered under which name.

import BackstopCodecs
import BackstopCore
import BackstopDrivers
import Testing

@Suite struct RegistryTests {
    /// Nothing that is built in may hide another.
    @Test func builtinNamesAreUnique() {
        var registry = Registry()
        registerBuiltinDrivers(in: &registry)
        registerBuiltinCodecs(in: &registry)
        #expect(registry.clash == nil)
        #expect(registry.storages["posix"] != nil && registry.codecs["zst"] != nil)
    }

    @Test func oneNameTwiceIsAnError() {
        var registry = Registry()
        registerBuiltinDrivers(in: &registry)
        registry.register(StorageDriver(name: "s3") { (_, _, _) throws(BackupError) in throw BackupError(.unsupported, "none") })
        #expect(registry.clash?.message == "storage driver 's3' is registered twice")
        #expect(registry.clash?.code == .assertion)
    }
}
