// The drivers of this build, one line each.

public import BackstopCore

public func registerBuiltinDrivers(in registry: inout Registry) {
}
