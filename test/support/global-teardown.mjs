export default () => {
  const keeper = globalThis.__STORE_KEEPER__;
  if (keeper?.connected) keeper.disconnect();
};
