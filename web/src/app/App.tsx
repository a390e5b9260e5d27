import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";

import { ChatPage } from "../chat/ChatPage";
import { NotFoundPage } from "./NotFoundPage";
import { Shell } from "./Shell";

const OverviewPage = lazy(() => import("../overview/OverviewPage"));

export function App() {
  return (
    <Shell>
      <Suspense fallback={null}>
        <Switch>
          <Route path="/" component={ChatPage} />
          <Route path="/overview" component={OverviewPage} />
          <Route component={NotFoundPage} />
        </Switch>
      </Suspense>
    </Shell>
  );
}
