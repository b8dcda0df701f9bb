# To be sourced from the root: builds the worker and the programs that measure it, and sets `programs` to their folder.
#
# Environment, optional: PROFILE, the profile of cargo: release; `dev` for a look at the scripts themselves, `bench` for
# the same code as release with symbols.
cargo build --profile "${PROFILE:-release}" --locked -p salesforce-connector -p salesforce-connector-bench
case ${PROFILE:-release} in
  dev) programs=${CARGO_TARGET_DIR:-target}/debug ;;
  release | bench) programs=${CARGO_TARGET_DIR:-target}/release ;;
  *) programs=${CARGO_TARGET_DIR:-target}/$PROFILE ;;
esac
